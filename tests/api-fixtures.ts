// A registry for an API whose test is about something else: empty, and never written.
import type { ApiRegistry } from "../gateway/api/interfaces.ts";
import { CONCEPT_2026, shownProfile } from "../gateway/domain/profile.ts";
import { EMPTY_REGISTRY } from "../gateway/registry/shape.ts";

export const NO_REGISTRY: ApiRegistry = {
  whole: () => EMPTY_REGISTRY,
  save: () => {
    throw new Error("this test writes no registry");
  },
  profile: () => shownProfile(CONCEPT_2026),
};
