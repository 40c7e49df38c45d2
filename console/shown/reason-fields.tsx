import { useSignal } from "@preact/signals";
import { useDesk } from "../frame/desk.ts";

/** Why: one of a few, or in one's own words. The first has a dialog's focus: who came to decide has one key to press. */
export function ReasonFields({
  presets,
  problem,
  chosen,
}: {
  readonly presets: readonly string[];
  readonly problem: string | undefined;
  readonly chosen: (reason: string) => void;
}) {
  const { decide } = useDesk().texts.value;
  const preset = useSignal<string | undefined>(undefined);
  const own = useSignal("");
  const tell = (): void =>
    chosen([preset.value, own.value.trim()].filter((part) => part !== undefined && part !== "").join(": "));
  return (
    <fieldset aria-describedby={problem === undefined ? undefined : "reason-problem"}>
      <legend>{decide.reason}</legend>
      {presets.map((text) => (
        <label key={text} class="option">
          <input
            type="radio"
            name="reason"
            checked={preset.value === text}
            onChange={() => {
              preset.value = text;
              tell();
            }}
          />
          {text}
        </label>
      ))}
      <label class="field wide">
        {decide.other}
        <input
          type="text"
          maxLength={800}
          autocomplete="off"
          value={own.value}
          aria-invalid={problem !== undefined}
          onInput={({ currentTarget }) => {
            own.value = currentTarget.value;
            tell();
          }}
        />
      </label>
      {problem !== undefined && (
        <p id="reason-problem" class="note bad" role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
}
