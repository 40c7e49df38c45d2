import { type Language, languageNames, languages } from "../texts/languages.ts";
import { type Theme, themes } from "./choices.ts";
import { useDesk } from "./desk.ts";

/** What a person chooses for their own browser, and the way out. */
export function SettingsMenu() {
  const { ask, choices, signed, texts } = useDesk();
  const words = texts.value;
  const leave = async (): Promise<void> => {
    const answered = await ask("leave");
    signed.value = { kind: "out", ended: false };
    if (answered.kind === "answer" && answered.value.at !== undefined) location.assign(answered.value.at);
  };
  return (
    <details class="settings">
      <summary>{words.settings}</summary>
      <div>
        {signed.value.kind === "in" && (
          <p>{words.signedIn(signed.value.session.who, words.roles[signed.value.session.role])}</p>
        )}
        <label class="field">
          {words.language}
          <select
            value={choices.language.value}
            onChange={({ currentTarget: { value } }) => {
              const chosen = languages.find((one) => one === value);
              if (chosen !== undefined) choices.language.value = chosen;
            }}
          >
            {languages.map((code: Language) => (
              <option key={code} value={code} lang={code}>
                {languageNames[code]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          {words.theme}
          <select
            value={choices.theme.value}
            onChange={({ currentTarget: { value } }) => {
              const chosen = themes.find((one) => one === value);
              if (chosen !== undefined) choices.theme.value = chosen;
            }}
          >
            {themes.map((theme: Theme) => (
              <option key={theme} value={theme}>
                {words.themes[theme]}
              </option>
            ))}
          </select>
        </label>
        <label class="option">
          <input
            type="checkbox"
            checked={choices.keys.value}
            onChange={({ currentTarget }) => void (choices.keys.value = currentTarget.checked)}
          />
          {words.keys}
        </label>
        <p class="quiet">{words.keysHint}</p>
        {signed.value.kind === "in" && (
          <button type="button" onClick={() => void leave()}>
            {words.leave}
          </button>
        )}
      </div>
    </details>
  );
}
