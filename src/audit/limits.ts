/** Every bound of the event log, in one place. "Specification" constants are part of the format. */

/** Specification: the longest entry (bytes); more than all its parts at their longest. */
export const ENTRY_MAX_BYTES = 62 * 1024;
/** Specification: entries under one signature. */
export const BLOCK_ENTRIES_MAX = 1024;
/** Specification: the longest payload of a block (bytes); its head has two bytes for a length. */
export const BLOCK_PAYLOAD_MAX_BYTES = 65_535;
/** Specification: the longest block: heads, key id and signature with it (bytes). */
export const BLOCK_MAX_BYTES = BLOCK_PAYLOAD_MAX_BYTES + 128;
/** Specification: numbers of entries end below this. */
export const NUMBER_LIMIT = 2 ** 48;
/** Specification: fields of an entry's data. */
export const DATA_MAX = 32;
/** Specification: heads in one witness entry; a cluster has at most 16 members. */
export const HEADS_MAX = 16;
/** Specification: texts of an entry, each cut to this (UTF-8 bytes): text and event, and what a program said. */
export const TEXT_MAX_BYTES = 1024;
export const DETAIL_MAX_BYTES = 4096;
/** Specification: a key, and a text, in an entry's data (UTF-8 bytes). */
export const DATA_KEY_MAX_BYTES = 64;
export const DATA_TEXT_MAX_BYTES = 1024;
/** Implementation: a longer segment is refused before it is read (bytes). */
export const SEGMENT_MAX_BYTES = 256 * 1024 * 1024;
