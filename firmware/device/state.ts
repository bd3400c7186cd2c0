// The ring's state record behind its head and its last sequence: what outlives a restart, byte by byte.

/** Boots so far, 2 bytes. */
export const STATE_BOOT = 3;
/** Counter of the last configuration or command that was accepted, 4 bytes, and two bytes of its frame's tag. */
export const STATE_COUNTER = 5;
export const STATE_TAG = 9;
/** Where a resending began, 2 bytes. */
export const STATE_RESEND = 11;
export const STATE_MARKS = 13;

/** A reboot that was asked for; a resending that is not over; help that nobody has seen. Latched alarms keep their bits. */
export const MARK_PLANNED = 1;
export const MARK_RESENDING = 2;
export const MARK_HELP = 4;
