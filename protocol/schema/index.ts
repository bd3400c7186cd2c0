// Every schema, for Node and the browser.
export * from "./alarm-metrics.ts";
export * from "./alert.ts";
export * from "./assets.ts";
export * from "./cloud-event.ts";
export * from "./config.ts";
export * from "./entry.ts";
export * from "./gateway-state.ts";
export * from "./history.ts";
export * from "./http.ts";
export * from "./notify.ts";
export * from "./overview.ts";
export * from "./point-state.ts";
export * from "./profile.ts";
export * from "./registry.ts";
export * from "./rule.ts";
export * from "./rules-test.ts";
export * from "./scalars.ts";
