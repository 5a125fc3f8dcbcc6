/**
 * Bucket state as it is kept in a store: AES-256-GCM, under a key of the account's own.
 *
 * Layout: version (1 byte), length of the key's id (1 byte), the id, nonce (12 bytes), ciphertext with its tag. The store's key is
 * authenticated along, so that a value cannot be put in another's place. Each secret is stretched by HKDF-SHA-256 (RFC 5869), so
 * that the same secret may serve elsewhere. To rotate: put a new secret in front, drop the old one a while later.
 */

const VERSION = 1;
const NONCE_BYTES = 12;
const SECRET_BYTES = 32;

/** Why a value cannot be opened. The message names no secret. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/** The keys of an account: seals with the first, opens with any. */
export class Sealer {
  private constructor(private readonly keys: ReadonlyMap<string, CryptoKey>) {}

  /**
   * Reads `id:base64,…`.
   *
   * @throws SealError when there is no key, an id is not of `[A-Za-z0-9._-]{1,64}`, or a secret is shorter than 32 bytes.
   */
  static async from(text: string): Promise<Sealer> {
    const keys = new Map<string, CryptoKey>();
    for (const part of text.split(",")) {
      const [, id, base64] = /^\s*([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/]+=*)\s*$/.exec(part) ?? [];
      if (id === undefined || base64 === undefined) throw new SealError("STATE_KEYS is not a list of id:base64, separated by commas");
      keys.set(id, await derive(id, base64));
    }
    return new Sealer(keys);
  }

  /** The ids of the keys, the one that seals first. */
  get ids(): string[] {
    return [...this.keys.keys()];
  }

  /** Seals `text` for the place `name`. */
  async seal(text: string, name: string): Promise<Uint8Array> {
    const [first] = this.keys;
    if (first === undefined) throw new SealError("STATE_KEYS has no key");
    const [id, key] = first;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const head = concat([VERSION, id.length], utf8(id), nonce);
    const body = await crypto.subtle.encrypt(parameters(nonce, name), key, utf8(text));
    return concat(head, new Uint8Array(body));
  }

  /**
   * Opens what was sealed for the place `name`.
   *
   * @throws SealError when it is cut short, of another version, under a key that is not here, or not authentic.
   */
  async open(sealed: ArrayBuffer, name: string): Promise<string> {
    const bytes = new Uint8Array(sealed);
    const [version, idLength = 0] = bytes;
    const start = 2 + idLength + NONCE_BYTES;
    if (version !== VERSION || bytes.length <= start) throw new SealError("the value is not sealed state of this version");
    const id = new TextDecoder().decode(bytes.subarray(2, 2 + idLength));
    const key = this.keys.get(id);
    if (key === undefined) throw new SealError("the value is sealed with a key that STATE_KEYS does not hold");
    try {
      const nonce = bytes.slice(2 + idLength, start);
      const text = await crypto.subtle.decrypt(parameters(nonce, name), key, bytes.slice(start));
      return new TextDecoder().decode(text);
    } catch {
      throw new SealError("the value is not authentic: another secret under the same id, or damaged");
    }
  }
}

async function derive(id: string, base64: string): Promise<CryptoKey> {
  const secret = decoded(base64);
  if (secret.length < SECRET_BYTES) throw new SealError(`the secret ${id} of STATE_KEYS has fewer than ${SECRET_BYTES} bytes`);
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: utf8("tidegate"), info: utf8(`state v${VERSION}`) };
  return crypto.subtle.deriveKey(hkdf, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

function decoded(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw new SealError("STATE_KEYS is not a list of id:base64, separated by commas");
  }
}

function parameters(nonce: Uint8Array, name: string): SubtleCryptoEncryptAlgorithm {
  return { name: "AES-GCM", iv: nonce, additionalData: utf8(name) };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(...parts: (readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
