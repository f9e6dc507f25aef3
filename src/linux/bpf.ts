/** Classic BPF (socket(7), SO_ATTACH_FILTER): the instructions that our packet sockets' filters are made of, and their bytes. */

/** Jumps count from the next instruction. */
export type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];

export const LOAD_WORD = 0x20;
export const LOAD_HALF = 0x28;
export const LOAD_BYTE = 0x30;
export const LOAD_BYTE_INDEXED = 0x50;
export const LOAD_INDEX_IP_HEADER = 0xb1;
export const JUMP_EQUAL = 0x15;
export const JUMP_GREATER_EQUAL = 0x35;
export const JUMP_SET = 0x45;
/** So many bytes of the frame; 0: none of it. */
export const RETURN = 0x06;

/** The array of sock_filter, eight bytes each. */
export function assembled(program: readonly Instruction[]): Buffer {
  const out = Buffer.alloc(program.length * 8);
  program.forEach(([code, jumpTrue, jumpFalse, k], i) => {
    out.writeUInt16LE(code, i * 8);
    out.writeUInt8(jumpTrue, i * 8 + 2);
    out.writeUInt8(jumpFalse, i * 8 + 3);
    out.writeUInt32LE(k, i * 8 + 4);
  });
  return out;
}
