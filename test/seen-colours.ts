import type { Browser, Locator, Page } from "playwright-core";

/** Ways of seeing colours, as Chromium draws them for whoever has to try a page. */
export const visions = ["none", "protanopia", "deuteranopia", "tritanopia", "achromatopsia"] as const;

/** Draws the page as somebody with that vision sees it. */
export async function seeAs(page: Page, type: (typeof visions)[number]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setEmulatedVisionDeficiency", { type });
}

/** A picture's pixels: for each its relative luminance as WCAG has it, 0 to 1. */
export interface Seen {
  readonly width: number;
  readonly luminances: readonly number[];
}

/** What is seen of elements; the console's own page evaluates no texts, so another page decodes the picture. */
export async function seen(page: Page, elements: readonly Locator[], decoder: Page): Promise<Seen[]> {
  const png = (await page.screenshot({ scale: "css" })).toString("base64");
  const boxes = await Promise.all(elements.map((element) => element.boundingBox()));
  const pixels = await decoder.evaluate<{ width: number; data: number[] }[]>(`(async () => {
    const bytes = Uint8Array.from(atob("${png}"), (letter) => letter.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    context.drawImage(picture, 0, 0);
    return ${JSON.stringify(boxes)}.map((box) => {
      const { width, data } = context.getImageData(box.x, box.y, box.width, box.height);
      return { width, data: [...data] };
    });
  })()`);
  return pixels.map(({ width, data }) => ({ width, luminances: luminancesOf(data) }));
}

/** Of pixels as red, green, blue and opacity. */
function luminancesOf(data: readonly number[]): number[] {
  const luminances: number[] = [];
  for (let at = 0; at < data.length; at += 4) {
    const [red = 0, green = 0, blue = 0] = data.slice(at, at + 3).map(linear);
    luminances.push(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  }
  return luminances;
}

function linear(value: number): number {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** Its first columns: of a status, its shape. */
export function leftOf({ width, luminances }: Seen, columns: number): Seen {
  return { width: columns, luminances: luminances.filter((_, at) => at % width < columns) };
}

/** Contrast of what stands out most against what is there most, 1 to 21. */
export function contrastOf({ luminances }: Seen): number {
  const counts = new Map<number, number>();
  for (const one of luminances) counts.set(one, (counts.get(one) ?? 0) + 1);
  const ground = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
  return Math.max(...luminances.map((one) => ratio(one, ground)));
}

const ratio = (a: number, b: number): number => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

/** Share of the pixels that differ as much as text has to from its ground. */
export function differenceOf(a: Seen, b: Seen): number {
  const differing = a.luminances.filter((one, at) => ratio(one, b.luminances[at] ?? 0) >= 3).length;
  return differing / a.luminances.length;
}

/** A page that decodes pictures. */
export async function openDecoder(browser: Browser): Promise<Page> {
  return (await browser.newContext()).newPage();
}
