import type { ComponentChildren } from "preact";
import { linkTo, type Place } from "../place/place.ts";

interface ToParts {
  readonly place: Place;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly tabIndex?: number;
  readonly "data-row"?: number;
  readonly "aria-current"?: "page" | undefined;
}

export function To({ place, children, ...rest }: ToParts) {
  return (
    <a href={linkTo(place)} {...rest}>
      {children}
    </a>
  );
}
