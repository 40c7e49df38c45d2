import { useSignal } from "@preact/signals";
import { useDesk } from "../frame/desk.ts";
import { type DeviceFilter, everyDevice, linkTo } from "../place/place.ts";
import { To } from "../shown/link.tsx";
import { forgetting, NAME_CHARACTERS_MAX, SAVED_MAX, saving } from "./saved-filters.ts";

/** The filters that somebody gave a name to, as links; and a name for the present one. */
export function SavedFilters({ filter }: { readonly filter: DeviceFilter }) {
  const { texts, choices } = useDesk();
  const name = useSignal("");
  const { filters: saved } = choices;
  const { devices: words } = texts.value;
  const own = linkTo({ page: "devices", filter });
  const isFiltered = own !== linkTo({ page: "devices", filter: everyDevice });
  const isFull =
    saved.value.length >= SAVED_MAX && saved.value.every((one) => one.name !== name.value.trim());
  if (!isFiltered && saved.value.length === 0) return null;
  return (
    <section aria-label={words.saved} class="saved">
      <ul class="plain">
        {saved.value.map(({ name: known, filter: kept }) => {
          const place = { page: "devices", filter: kept } as const;
          return (
            <li key={known}>
              <To place={place} aria-current={linkTo(place) === own ? "page" : undefined}>
                {known}
              </To>{" "}
              <button
                type="button"
                class="small"
                aria-label={words.forget(known)}
                onClick={() => void (saved.value = forgetting(saved.value, known))}
              >
                ×
              </button>
            </li>
          );
        })}
      </ul>
      {isFiltered && (
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            saved.value = saving(saved.value, { name: name.value, filter });
            name.value = "";
          }}
        >
          <label class="field">
            {words.saveAs}
            <input
              type="text"
              autocomplete="off"
              maxLength={NAME_CHARACTERS_MAX}
              value={name.value}
              onInput={({ currentTarget }) => void (name.value = currentTarget.value)}
            />
          </label>
          <button type="submit" disabled={isFull || name.value.trim() === ""}>
            {words.save}
          </button>
        </form>
      )}
    </section>
  );
}
