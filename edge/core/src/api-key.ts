/** A bucket's id from an API key: its SHA-256, so that no log, report, store or rate table ever holds the key itself. */

/** SHA-256 of the UTF-8 form of a text. */
export type Sha256 = (text: string) => Promise<ArrayBuffer | Uint8Array>;

/** The bucket of an API key: `key:` and 64 hexadecimal digits. Any text is a key, however long. */
export async function bucketOfKey(apiKey: string, sha256: Sha256): Promise<string> {
  return `key:${hex(new Uint8Array(await sha256(apiKey)))}`;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
