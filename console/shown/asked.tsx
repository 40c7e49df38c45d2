import type { ComponentChildren } from "preact";
import type { Refusal } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import type { Watched } from "../frame/watched.ts";
import { durationText } from "./figures.ts";

/** What was asked for once it is there; until then, or where it is refused, a sentence instead. */
export function Asked<Value>({
  watched: { value, answeredMs, refusal },
  again,
  children,
}: {
  readonly watched: Watched<Value>;
  readonly again: () => void;
  readonly children: (value: Value) => ComponentChildren;
}) {
  const { texts, language, tick } = useDesk();
  const { loading, oldValue, ago, again: askAgain } = texts.value;
  void tick.value;
  const age = ago(durationText(performance.now() - answeredMs, language.value));
  return (
    <>
      {refusal !== undefined && (
        <div class="note bad" role="alert">
          <Refused refusal={refusal} /> {value !== undefined && oldValue(age)}{" "}
          <button type="button" onClick={again}>
            {askAgain}
          </button>
        </div>
      )}
      {value !== undefined ? children(value) : refusal === undefined && <p role="status">{loading}</p>}
    </>
  );
}

/** The API's own sentences are English in every language: who hears the page has to hear that. */
export function Refused({ refusal: { code, sentence, next } }: { readonly refusal: Refusal }) {
  const { refusals } = useDesk().texts.value;
  const own = Object.entries(refusals).find(([name]) => name === code)?.[1];
  return (
    <>
      {own !== undefined && <strong>{own} </strong>}
      <span lang="en">
        {sentence} {next}
      </span>
    </>
  );
}

/** A sentence that the API said. */
export function Said({ text }: { readonly text: string }) {
  return <span lang="en">{text}</span>;
}
