// The clock of tests: it stands still until it is told to go.
export { type VirtualClock, virtualClock } from "../gateway/engine/virtual-clock.ts";
