import type { ComponentChildren } from "preact";

/** What is known, by name; what is not known has no row. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl>
      {rows.map(
        ([label, value]) =>
          value !== undefined &&
          value !== false &&
          value !== "" && (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
