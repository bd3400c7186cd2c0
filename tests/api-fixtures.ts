// A registry for an API whose test is about something else: empty, and never written.
import type { ApiRegistry, ApiRequests } from "../gateway/api/interfaces.ts";
import { CONCEPT_2026, shownProfile } from "../gateway/domain/profile.ts";
import { EMPTY_REGISTRY } from "../gateway/registry/shape.ts";

export const NO_REGISTRY: ApiRegistry = {
  whole: () => EMPTY_REGISTRY,
  save: () => {
    throw new Error("this test writes no registry");
  },
  profile: () => shownProfile(CONCEPT_2026),
};

/** Nothing was asked, and nothing can be. */
export const NO_REQUESTS: ApiRequests = {
  list: () => [],
  get: () => undefined,
  ask: () => Promise.reject(new Error("this test asks for nothing")),
  step: () => Promise.reject(new Error("this test steps nothing")),
};
