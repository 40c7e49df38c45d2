import { type AnswerBook, Place } from "../flow/answers.ts";
import type { Scene, Step } from "../flow/flow.ts";
import type { Screen, StepState, Values } from "../flow/screen.ts";
import type { Texts } from "../flow/texts/texts.ts";
import { Language, languageNames } from "../language.ts";
import { CommissioningRefused } from "../refusal.ts";

const fields = ["site", "room", "asset", "technician"] as const;

/** First the language, then where the device stands and who sets it up. */
export class SiteStep implements Step {
  readonly name = "site";
  readonly #book: AnswerBook;
  readonly #serial: string;

  constructor(book: AnswerBook, serial: string) {
    this.#book = book;
    this.#serial = serial;
  }

  get state(): StepState {
    return this.#book.answers.place === undefined ? "open" : "done";
  }

  screen({ site }: Texts): Screen {
    const { language, place } = this.#book.answers;
    const others = Language.options.map((name) => ({
      action: `language-${name}`,
      label: languageNames[name],
      kind: "plain" as const,
    }));
    if (language === undefined) return { blocks: [{ kind: "text", text: site.welcome }], buttons: others };
    const field = (name: keyof Place, isOptional: boolean) =>
      ({
        kind: "input",
        name,
        type: "text",
        isOptional,
        label: site.fields[name],
        hint: site.hints[name],
        ...(place?.[name] === undefined ? {} : { value: place[name] }),
      }) as const;
    return {
      blocks: [
        { kind: "facts", rows: [{ label: site.serial, value: this.#serial }] },
        field("site", false),
        field("room", true),
        field("asset", true),
        field("technician", false),
      ],
      buttons: [
        { action: "keep", label: site.keep, kind: "primary" },
        ...others.filter(({ action }) => action !== `language-${language}`),
      ],
    };
  }

  async act(action: string, values: Values, { texts: { site } }: Scene): Promise<void> {
    const language = Language.safeParse(action.replace(/^language-/, ""));
    if (language.success) return this.#book.write({ language: language.data });
    const given = Object.entries(values).filter(([, value]) => value.trim() !== "");
    const place = Place.safeParse(Object.fromEntries(given));
    if (!place.success) {
      const wrong = new Set(place.error.issues.map(({ path }) => path[0]));
      const told = fields
        .filter((name) => wrong.has(name))
        .map((name) => `${site.fields[name]}: ${site.hints[name]}`);
      throw new CommissioningRefused("answers", told.join(". "));
    }
    return this.#book.write({ place: place.data });
  }
}
