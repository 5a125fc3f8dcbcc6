# syntax=docker/dockerfile:1
#
#   docker build -t tidegate .                            the service
#   docker build -t tidegate-train --target trainer .     the trainer, which is the only one to hold polars
#
# Both keep everything that outlives them under /var/lib/tidegate, which is one volume that they share:
# the trainer reads the journal that the service writes there and leaves its models beside it.

FROM rust:1.95-slim-bookworm AS source
WORKDIR /source
COPY . .

# Two builds and not one: cargo unifies features over what it builds together.
FROM source AS build-serve
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release --package tidegate && install -D target/release/tidegate /out/tidegate

FROM source AS build-trainer
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release --package tidegate-train && install -D target/release/tidegate-train /out/tidegate-train

FROM debian:bookworm-slim AS runtime
RUN groupadd --gid 10001 tidegate \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin tidegate \
    && install -d -o tidegate -g tidegate /var/lib/tidegate
COPY config/tidegate.toml /etc/tidegate/tidegate.toml
ENV TIDEGATE_CONFIG=/etc/tidegate/tidegate.toml \
    TIDEGATE__SERVER__DATA_DIR=/var/lib/tidegate
USER 10001:10001
WORKDIR /var/lib/tidegate
VOLUME /var/lib/tidegate

FROM runtime AS trainer
COPY --from=build-trainer /out/tidegate-train /usr/local/bin/tidegate-train
ENTRYPOINT ["tidegate-train"]
CMD ["run", "--every", "6h", "--data-dir", "/var/lib/tidegate", "--models", "/var/lib/tidegate/models"]

FROM runtime AS serve
COPY --from=build-serve /out/tidegate /usr/local/bin/tidegate
# Every address of the container: the service refuses to start so until a token is set up.
ENV TIDEGATE__SERVER__LISTEN=0.0.0.0:8080 \
    TIDEGATE__LOG__FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["tidegate", "healthcheck"]
ENTRYPOINT ["tidegate"]
CMD ["serve"]
