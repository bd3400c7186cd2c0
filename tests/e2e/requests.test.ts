// A request for help at the screens: asked from a point's page, seen on another screen at once, taken, and delivered; and who was told
// of it, or not. The whole gateway, in Chromium.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Alert, HelpRequest, Notices } from "../../protocol/index.ts";
import { temporaryFolder } from "../fixtures.ts";
import { PASSWORD, PERSON, startGateway, type TestGateway } from "./gateway.ts";

const CHROMIUM = "/usr/bin/chromium";
const HAS_CHROMIUM = existsSync(CHROMIUM);
const SCREENS = fileURLToPath(new URL("../../dashboards/web/dist", import.meta.url));
const QUIET = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-gpu"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDE = { width: 1440, height: 900 };
/** One whom nothing reaches, and one who reads MQTT. */
const RECIPIENTS = `
[[recipients]]
recipientId = "duty"
role = "officier"
channels = [{ type = "webhook", url = "http://127.0.0.1:1/" }]

[[recipients]]
recipientId = "wall"
role = "wandscherm"
channels = [{ type = "mqtt" }]
`;
const PHONE = { width: 390, height: 844 };

describe.skipIf(!HAS_CHROMIUM)(
  `requests at the screen (needs chromium${HAS_CHROMIUM ? "" : ": not installed"})`,
  () => {
    const folder = temporaryFolder();
    let gateway: TestGateway;
    let browser: Browser;

    beforeAll(async () => {
      const file = join(folder.path, "recipients.toml");
      writeFileSync(file, RECIPIENTS);
      gateway = await startGateway({ dir: folder.path, staticDir: SCREENS, sections: { notify: { file } } });
      const args = QUIET;
      browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, chromiumSandbox: false, args });
    });
    afterAll(async () => {
      await browser?.close();
      await gateway?.app.stop();
      folder.remove();
    });

    async function open(hash: string, viewport = WIDE): Promise<Page> {
      const context = await browser.newContext({ viewport, locale: "nl-NL", reducedMotion: "reduce" });
      const page = await context.newPage();
      await page.goto(`${gateway.app.http.url}/${hash}`);
      await page.fill("#name", PERSON);
      await page.fill("#password", PASSWORD);
      await page.click("button[type=submit]");
      await page.waitForSelector("main.page");
      return page;
    }

    const violations = async (page: Page) => {
      const { violations: found } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      return found.map((one) => `${one.id}: ${one.nodes[0]?.html}`);
    };
    const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const kept = () => gateway.get<readonly HelpRequest[]>("/v1/requests?state=all");
    const helpAlerts = async () =>
      (await gateway.get<readonly Alert[]>("/v1/alerts")).filter(({ ruleId }) => ruleId === "help-requested");

    test("asked from a point's page, taken and delivered on another screen", async () => {
      const list = await open("#/verzoeken", PHONE);
      const point = await open("#/punt/alm-01");
      await point.click("details.ask summary");
      await point.check("#ask-kind-fuel");
      await point.fill("#ask-quantity", "nul");
      await point.click("details.ask button[type=submit]");
      expect(await point.locator("#ask-quantity-error").count()).toBe(1);
      await point.fill("#ask-quantity", "150");
      await point.selectOption("#ask-by", "4");
      expect(await violations(point)).toEqual([]);
      await point.click("details.ask button[type=submit]");
      await point.getByText("Het verzoek staat in de lijst.").waitFor();
      expect(await kept()).toMatchObject([{ kind: "fuel", quantity: 150, state: "asked", pointId: "alm-01" }]);
      expect(await helpAlerts()).toMatchObject([{ priority: 2, state: "unacknowledged" }]);

      const request = list.locator("[data-request]");
      await request.waitFor();
      expect(await request.textContent()).toContain("150 l");
      expect([await violations(list), await overflow(list)]).toEqual([[], 0]);
      await request.getByRole("button", { name: /^Afwijzen/ }).click();
      await list.getByText("Geef een reden om af te wijzen.").waitFor();
      await request.locator("input").fill("wagen 2");
      await request.getByRole("button", { name: /^Aannemen/ }).click();
      await list.getByText("Aangenomen (1)").waitFor();
      expect(await helpAlerts()).toEqual([]);
      await request.getByRole("button", { name: /^Geleverd/ }).click();
      await list.getByText("Er zijn geen open verzoeken.").waitFor();
      expect((await kept())[0]?.steps.map(({ state, note, by }) => [state, note, by])).toEqual([
        ["asked", undefined, PERSON],
        ["promised", "wagen 2", PERSON],
        ["delivered", undefined, PERSON],
      ]);
    });

    test("who was told is on a page of its own, with the way that does not work, and one can be left out for a time", async () => {
      await gateway.post("/v1/points/alm-02/requests", { kind: "medical", via: "voice" });
      const page = await open("#/berichten", PHONE);
      await page.getByText("webhook: werkt niet", { exact: false }).waitFor();
      await page.getByText("officier (duty)").first().waitFor();
      await page.click("details.requests-closed summary");
      await page.getByText("wandscherm (wall)").first().waitFor();
      await page.getByText("MQTT: doorgegeven", { exact: false }).first().waitFor();
      await page.click("details.ask summary");
      await page.click("details.ask button[type=submit]");
      await page.getByText("Geef een reden van minstens drie letters.").waitFor();
      await page.getByLabel("Reden").fill("in overleg");
      expect([await violations(page), await overflow(page)]).toEqual([[], 0]);
      await page.click("details.ask button[type=submit]");
      await page.getByText(/^duty tot .*: in overleg/).waitFor();
      const { mutes } = await gateway.get<Notices>("/v1/notices");
      expect(mutes).toMatchObject([{ recipientId: "duty", by: PERSON, reason: "in overleg" }]);
      await page.getByRole("button", { name: /^Weer waarschuwen/ }).click();
      await page.getByText(/^duty tot /).waitFor({ state: "detached" });
      const list = await page.request.get(`${gateway.app.http.url}/v1/call-list`, { headers: { accept: "text/html" } });
      expect(await list.text()).toContain("Punt alm-02");
    });

    test("the sound is off until a person allows it, and a mute says when it ends", async () => {
      const page = await open("#/verzoeken");
      const state = () => page.locator("details.sound summary").textContent();
      expect(await state()).toBe("Geluid uit");
      await page.click("details.sound summary");
      expect(await page.getByRole("button", { name: "Test" }).count()).toBe(0);
      await page.getByRole("button", { name: "Zet geluid aan" }).click();
      await page.getByText("Geluid aan", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Demp: 15 min" }).click();
      expect(await state()).toMatch(/^Gedempt tot \d\d:\d\d$/);
      expect(await violations(page)).toEqual([]);
      await page.getByRole("button", { name: "Weer hoorbaar" }).click();
      expect(await state()).toBe("Geluid aan");
    });
  },
);
