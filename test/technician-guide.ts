/**
 * `npm run -s technician-guide`: writes the technician's guide in each language into `docs/technician/`, with pictures taken
 * from the real pages while a simulated device is set up.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Closing } from "@coalmine/runtime";
import type { Page } from "playwright-core";
import { getDocumentProxy } from "unpdf";
import { type StepName, stepNames } from "../commissioning/flow/screen.ts";
import { texts } from "../commissioning/flow/texts/texts.ts";
import { guideHtml, guideName, pictureName } from "../commissioning/guide/guide.ts";
import { Language, languageNames } from "../commissioning/language.ts";
import { launchChromium } from "./chromium.ts";
import { type LocalRegion, startLocalRegion } from "./local-region.ts";
import { type NewDevice, newDevice, PAGE_CODE } from "./technician-site.ts";

const out = join(dirname(import.meta.dirname), "docs/technician");
const folder = await mkdtemp(join(tmpdir(), "guide-"));
const region = await startLocalRegion(join(folder, "cloud"));
try {
  await mkdir(join(out, "pictures"), { recursive: true });
  for (const language of Language.options) {
    await writeFile(join(out, guideName(language)), guideHtml(language));
    await pictures(region, language);
    console.log(join("docs/technician", guideName(language)));
  }
} finally {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
}

/** The way in one language, with a picture of each step when something is to be seen there. */
async function pictures(at: LocalRegion, language: Language): Promise<void> {
  const closing = new Closing();
  // One each: where it runs in a single process it ends with its first context.
  const found = await launchChromium();
  if (!("browser" in found))
    throw new Error(`no browser starts here, so there are no pictures: ${found.why}`);
  closing.add(found.browser, (browser) => browser.close());
  const context = await found.browser.newContext({
    viewport: { width: 360, height: 620 },
    colorScheme: "light",
    hasTouch: true,
  });
  try {
    const device = await newDevice(
      at,
      folder,
      `core-0${Language.options.indexOf(language) + 1}`,
      closing,
      100,
    );
    const served = await device.serve();
    closing.add(served, () => served.close());
    const view = await context.newPage();
    await view.goto(served.url);
    await view.fill("#code", PAGE_CODE);
    await view.click("button.primary");
    for (const { step, deeds } of wayOf(device, language)) {
      // The first one asks for the language.
      if (step !== "site") await view.waitForSelector(`h2:text-is("${texts[language].steps[step]}")`);
      for (const deed of deeds) await deed(view, async () => takeOf(view, language, step));
    }
    await view.waitForSelector(".note.good");
    await takeOf(view, language, "report");
    await refuseOtherThanTwoSheets(view, join(out, guideName(language)));
  } finally {
    await closing.close();
  }
}

async function takeOf(view: Page, language: Language, step: StepName): Promise<void> {
  await view.evaluate("document.activeElement?.blur()");
  await view.evaluate("scrollTo(0, 0)");
  await view.screenshot({ path: join(out, pictureName(language, step)), animations: "disabled" });
}

/** As it comes out of a printer. */
async function refuseOtherThanTwoSheets(view: Page, file: string): Promise<void> {
  await view.goto(pathToFileURL(file).href);
  const pdf = await view.pdf({ preferCSSPageSize: true });
  const { numPages } = await getDocumentProxy(new Uint8Array(pdf));
  if (numPages !== 2) throw new Error(`${file} has ${numPages} sheets; shorten its texts until it has two`);
}

type DeedOfHand = (view: Page, take: () => Promise<void>) => Promise<void>;

function wayOf(device: NewDevice, language: Language): { step: StepName; deeds: DeedOfHand[] }[] {
  const words = texts[language];
  const type =
    (name: string, text: string): DeedOfHand =>
    (view) =>
      view.fill(`#${name}`, text);
  const press =
    (label: string): DeedOfHand =>
    async (view) => {
      await view.click(`.buttons button:text-is("${label}")`);
      await view.waitForSelector('main[aria-busy="false"]');
    };
  const see: DeedOfHand = (_view, take) => take();
  const ways: Readonly<Record<StepName, DeedOfHand[]>> = {
    site: [
      press(languageNames[language]),
      type("site", "st-mary"),
      type("room", "C 012"),
      type("technician", "Ada"),
      see,
      press(words.site.keep),
    ],
    clock: [see, press(words.clock.check)],
    network: [see, press(words.network.cable("eth0")), press(words.network.keep)],
    checks: [press(words.checks.run), see, press(words.checks.keep)],
    "self-test": [see, press(words.selfTest.test)],
    calibration: [see, press(words.calibration.without)],
    identity: [type("code", "XXXX-XXXX-XXXX"), see, type("code", device.code), press(words.identity.use)],
    label: [press(words.label.make), see, press(words.label.keep)],
    report: [press(words.report.make)],
  };
  return stepNames.map((step) => ({ step, deeds: ways[step] }));
}
