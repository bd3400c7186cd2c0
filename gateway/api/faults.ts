// All that is wrong with a body, query or path, one sentence a place.
import type { FastifySchemaValidationError } from "fastify/types/schema.js";

export const FAULTS_MAX = 100;

function sayFault(where: string, fault: FastifySchemaValidationError): string {
  const place = `${where}${fault.instancePath}`;
  const { params } = fault;
  switch (fault.keyword) {
    case "additionalProperties":
      return `${place}/${String(params["additionalProperty"])} is not known here: leave it out`;
    case "required":
      return `${place}/${String(params["missingProperty"])} is missing`;
    default:
      return `${place} ${fault.message ?? "does not fit"}`;
  }
}

/** One sentence a place: of a union of words all words in one. */
export function listFaults(where: string, faults: readonly FastifySchemaValidationError[]): string[] {
  const words = new Map<string, unknown[]>();
  for (const { keyword, instancePath, params } of faults) {
    if (keyword !== "const") continue;
    words.set(instancePath, [...(words.get(instancePath) ?? []), params["allowedValue"]]);
  }
  const lines = faults
    .filter((fault) => fault.keyword !== "const" && !(fault.keyword === "anyOf" && words.has(fault.instancePath)))
    .map((fault) => sayFault(where, fault));
  for (const [path, allowed] of words) lines.push(`${where}${path} must be one of ${allowed.map(String).join(", ")}`);
  return lines.slice(0, FAULTS_MAX);
}
