import fc from "fast-check";
import { expect, test } from "vitest";
import { createPersistence, fitsFilter } from "./retained.ts";

/** MQTT 3.1.1 §4.7, by its own words: a filter as a regular expression. */
function byExpression(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const parts = filter
    .split("/")
    .map((part) => (part === "+" ? "[^/]*" : part === "#" ? "§" : part.replace("$", "\\$")));
  const text = parts.join("/").replace(/^§$/, ".*").replace(/\/§$/, "(/.*)?");
  return new RegExp(`^${text}$`).test(topic);
}

test.each([
  ["a/b", "a/b", true],
  ["a/b", "a/b/c", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["a/+", "a", false],
  ["a/+", "a/", true],
  ["+/+", "/a", true],
  ["+", "/a", false],
  ["/#", "/a", true],
  ["#", "$SYS/x", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
])("%s takes %s: %s", (filter, topic, expected) => expect(fitsFilter(filter, topic)).toBe(expected));

test("fits as the specification says, for whatever levels there are", () => {
  const level = fc.constantFrom("", "a", "b", "$x");
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
  const filter = fc
    .tuple(fc.array(fc.constantFrom("", "a", "b", "$x", "+"), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, isOpen]) => [...levels, ...(isOpen ? ["#"] : [])].join("/"));
  fc.assert(
    fc.property(filter, topic, (f, t) => {
      expect(fitsFilter(f, t)).toBe(byExpression(f, t));
    }),
  );
});

test("keeps the last message of a topic, gives it by name and by wildcard, and an empty one clears it", async () => {
  const persistence = createPersistence();
  const store = persistence.storeRetained as unknown as (packet: unknown) => Promise<void>;
  const put = (topic: string, text: string) => store({ topic, payload: Buffer.from(text), cmd: "publish" });
  const read = async (filters: string[]) => {
    const found: string[] = [];
    for await (const packet of persistence.createRetainedStreamCombi(filters)) {
      found.push(`${packet.topic}=${String(packet.payload)}`);
    }
    return found;
  };
  await put("a/b", "1");
  await put("a/b", "2");
  await put("a/c", "3");
  expect(await read(["a/b"])).toEqual(["a/b=2"]);
  expect(await read(["a/+", "x"])).toEqual(["a/b=2", "a/c=3"]);
  await put("a/b", "");
  expect(await read(["a/#"])).toEqual(["a/c=3"]);
});
