import axe from "axe-core";
import type { Page } from "playwright-core";
import * as z from "zod";

const AxeResult = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

/** WCAG 2.2 asks for it, and axe only where it is told to. */
const OPTIONS = { rules: { "target-size": { enabled: true } } };

/** What on this page is in the way of who cannot see it, or not well: a line for each. */
export async function axeOn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = AxeResult.parse(await page.evaluate(`axe.run(${JSON.stringify(OPTIONS)})`));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
