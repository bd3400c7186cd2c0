// What is told over the radio, typed in at the screen: by keyboard alone, once however often it is sent, and kept when the
// gateway is away. The whole gateway, in Chromium.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Entry, PointState } from "../../protocol/index.ts";
import { temporaryFolder } from "../fixtures.ts";
import { PASSWORD, PERSON, startGateway, type TestGateway } from "./gateway.ts";

const CHROMIUM = "/usr/bin/chromium";
const HAS_CHROMIUM = existsSync(CHROMIUM);
const SCREENS = fileURLToPath(new URL("../../dashboards/web/dist", import.meta.url));
const QUIET = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-gpu"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

describe.skipIf(!HAS_CHROMIUM)(
  `an entry at the screen (needs chromium${HAS_CHROMIUM ? "" : ": not installed"})`,
  () => {
    const folder = temporaryFolder();
    let gateway: TestGateway;
    let browser: Browser;

    beforeAll(async () => {
      gateway = await startGateway({ dir: folder.path, staticDir: SCREENS });
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        headless: true,
        chromiumSandbox: false,
        args: QUIET,
      });
    });
    afterAll(async () => {
      await browser?.close();
      await gateway?.app.stop();
      folder.remove();
    });

    /** A deep link: who has to sign in first comes out where the link led. */
    async function open(hash: string, size = { width: 1440, height: 900 }): Promise<Page> {
      const context = await browser.newContext({ viewport: size, locale: "nl-NL", reducedMotion: "reduce" });
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
    const entries = (pointId: string) => gateway.get<readonly Entry[]>(`/v1/points/${pointId}/entries`);
    const counts = async (pointId: string) =>
      (await entries(pointId)).flatMap(({ statement }) => (statement.kind === "count" ? [statement.people] : []));

    async function fillCount(page: Page, people: string): Promise<void> {
      await page.check("#via-voice");
      await page.check("#what-count");
      await page.fill("#people", people);
    }

    test("by keyboard alone, and it is there with who said it and how", async () => {
      const page = await open("#/invoer");
      await page.waitForFunction(() => document.activeElement?.id === "point");
      const keys = page.keyboard;
      await keys.type("alm-01");
      await keys.press("Enter");
      await keys.press("Tab");
      await keys.press("Space");
      await keys.press("Tab");
      await keys.press("Space");
      await keys.press("ArrowRight");
      await keys.press("Tab");
      await keys.type("42");
      await keys.press("Enter");
      await page.waitForSelector("text=Vastgelegd: Punt alm-01, 42 mensen");
      const { occupancy } = await gateway.get<PointState>("/v1/points/alm-01");
      expect(occupancy).toMatchObject({ people: 42, told: { by: PERSON, via: "voice" } });
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });

    test("pressed twice it counts once", async () => {
      const page = await open("#/invoer/alm-02/count");
      await fillCount(page, "17");
      await page.evaluate(() => {
        const form = document.querySelector("form");
        form?.requestSubmit();
        form?.requestSubmit();
      });
      // The button says "Wordt vastgelegd…" meanwhile.
      await page.waitForSelector("text=Vastgelegd: Punt alm-02");
      expect(await counts("alm-02")).toEqual([17]);
      await page.context().close();
    });

    test("an answer that is lost keeps the form, says so, and a second try makes no second report", async () => {
      const page = await open("#/invoer/alm-02/count");
      await fillCount(page, "23");
      const lose = async (route: Parameters<Parameters<Page["route"]>[1]>[0]) => {
        await route.fetch();
        await route.abort();
      };
      await page.route("**/entries", lose, { times: 1 });
      await page.click("button[type=submit]");
      await page.waitForSelector("text=de gateway is niet bereikbaar");
      expect(await page.inputValue("#people")).toBe("23");
      await page.click("text=Opnieuw proberen");
      await page.waitForSelector("text=Vastgelegd: Punt alm-02, 23 mensen");
      expect(await counts("alm-02")).toEqual([23, 17]);
      await page.context().close();
    });

    test("faults stand at their fields and in a summary that leads to them", async () => {
      const page = await open("#/invoer", { width: 390, height: 844 });
      await page.check("#what-dip");
      await page.fill("#dip-litres", "1.250");
      await page.click("button[type=submit]");
      await page.waitForSelector(".message.failed");
      expect(await page.locator(".message.failed li").count()).toBe(3);
      await page.click(".message.failed li:last-child a");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("dip-litres");
      expect(await page.getAttribute("#dip-litres", "aria-invalid")).toBe("true");
      expect(page.url()).toContain("#/invoer");
      expect(await violations(page)).toEqual([]);
      const low = await page
        .locator("main button:visible, main .choice:visible, main input:visible")
        .evaluateAll((all) =>
          all
            .filter((one) => !(one instanceof HTMLInputElement && one.type === "radio"))
            .map((one) => one.getBoundingClientRect().height)
            .filter((height) => height < 44),
        );
      expect(low).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      await page.context().close();
    });

    test("a refusal is told in words and the form is kept", async () => {
      const page = await open("#/invoer/alm-01/dip");
      await page.check("#via-visit");
      await page.fill("#dip-mm", "410");
      const problem = { status: 422, title: "t", detail: "d", code: "ENTRY_INVALID", problems: ["no table"] };
      const refuse = (route: Parameters<Parameters<Page["route"]>[1]>[0]) =>
        route.fulfill({ status: 422, contentType: "application/problem+json", body: JSON.stringify(problem) });
      await page.route("**/entries", refuse, { times: 1 });
      await page.click("button[type=submit]");
      await page.waitForSelector("text=De gateway neemt dit niet aan: no table");
      expect(await page.inputValue("#dip-mm")).toBe("410");
      await page.context().close();
    });

    test("a phase is set in two presses, and the page says who says so, in both languages", async () => {
      const page = await open("#/punt/alm-01");
      await page.click(".part-phase button:text-is('open')");
      await page.waitForFunction(() => document.activeElement?.textContent === "Zet op 'open'");
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=Vastgelegd: open.");
      await page.waitForSelector(`.part-phase :text("${PERSON}, via scherm")`);
      expect((await gateway.get<PointState>("/v1/points/alm-01")).phase).toBe("open");
      await page.waitForSelector(".part-entries li");
      expect(await page.textContent(".part-entries")).toContain("42 mensen");
      expect(await violations(page)).toEqual([]);
      await page.click("button[lang=en]");
      await page.waitForSelector(`.part-phase :text("${PERSON}, by screen")`);
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });
  },
);
