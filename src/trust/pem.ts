/** Textual encoding (RFC 7468): one labelled block of base64. Pure. */

/** The first block with that label; null when there is none or its base64 is not strict. */
export function pemBlock(text: string, label: string): Uint8Array | null {
  const start = text.indexOf(`-----BEGIN ${label}-----`);
  const end = text.indexOf(`-----END ${label}-----`, start);
  if (start < 0 || end < 0) return null;
  const base64 = text.slice(start + label.length + 16, end).replace(/[\r\n\t ]/g, '');
  return strictBase64(base64);
}

/** A block as openssl (64 characters a line) and ssh-keygen (70) write it. */
export function formatPem(bytes: Uint8Array, label: string, width: number): string {
  const base64 = Buffer.from(bytes).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += width) lines.push(base64.slice(at, at + width));
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The bytes of padded base64 (RFC 4648, section 4) in its one spelling; null for every other text. */
export function strictBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? Uint8Array.from(bytes) : null;
}
