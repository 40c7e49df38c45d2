import type { StepName } from "../../flow/screen.ts";

/** What the guide says beside the pages' own words. Short: all of it has two sheets. */
export interface GuideTexts {
  readonly title: string;
  readonly what: string;
  readonly needed: string;
  readonly needs: readonly string[];
  readonly begin: string;
  readonly steps: Readonly<Record<StepName, { readonly how: string; readonly otherwise: string }>>;
  readonly always: string;
  readonly facts: readonly string[];
}
