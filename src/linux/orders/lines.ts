/** Cuts a stream of bytes into lines. What is held is bounded; a line that is too long, or a byte that no line may have, ends it. */

const LINE_END = 0x0a;

export interface LinesOptions {
  /** The longest line, its end included. */
  readonly maxBytes: number;
  readonly isAllowed: (byte: number) => boolean;
  readonly onLine: (line: string) => void;
  /** Called once; nothing is read afterwards. */
  readonly onGarbage: (why: string) => void;
}

/** Bytes of orders: small and capital letters, digits, blank, point and colon. */
export function isOrderByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x3a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x20 ||
    byte === 0x2e
  );
}

/** Bytes of answers: printable ASCII. */
export function isAnswerByte(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}

export class Lines {
  private readonly options: LinesOptions;
  private readonly held: Buffer;
  private length = 0;
  private isEnded = false;

  constructor(options: LinesOptions) {
    this.options = options;
    this.held = Buffer.alloc(options.maxBytes);
  }

  take(chunk: Uint8Array): void {
    const { maxBytes, isAllowed, onLine } = this.options;
    for (const byte of chunk) {
      if (this.isEnded) return;
      if (byte === LINE_END) {
        const line = this.held.toString('latin1', 0, this.length);
        this.length = 0;
        onLine(line);
      } else if (!isAllowed(byte)) this.garbage('a byte that no line may have');
      else if (this.length + 1 >= maxBytes) this.garbage('a line that is too long');
      else this.held[this.length++] = byte;
    }
  }

  /** Nothing is read any more. */
  end(): void {
    this.isEnded = true;
  }

  private garbage(why: string): void {
    this.isEnded = true;
    this.options.onGarbage(why);
  }
}
