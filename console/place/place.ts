/** Where in the console somebody is: each can be sent to a colleague as a link, and opens as it was. */
export type Place =
  /** All, or one alone. */
  | { readonly page: "fleets"; readonly fleet?: string }
  | { readonly page: "devices"; readonly filter: DeviceFilter }
  | { readonly page: "device"; readonly thing: string; readonly line?: string; readonly component?: string }
  | { readonly page: "rollouts" }
  /** `from` and `to`: of the metric's chart, in ms since 1970. */
  | {
      readonly page: "rollout";
      readonly rollout: string;
      readonly metric?: string;
      readonly from?: string;
      readonly to?: string;
    }
  | { readonly page: "audit"; readonly asked: AuditAsked }
  | { readonly page: "alarms" }
  | { readonly page: "rehearsals" }
  | { readonly page: "rehearsal"; readonly commit: string }
  | { readonly page: "lost"; readonly path: string };

export type RolloutPlace = Extract<Place, { readonly page: "rollout" }>;

/** Empty members filter nothing. */
export interface DeviceFilter {
  readonly text: string;
  readonly fleet: string;
  readonly cohort: string;
  readonly state: string;
  /** `component` or `component@version`. */
  readonly runs: string;
}
export const everyDevice: DeviceFilter = { text: "", fleet: "", cohort: "", state: "", runs: "" };

/** Empty members ask for everything. */
export interface AuditAsked {
  readonly rollout: string;
  readonly who: string;
  readonly text: string;
  /** "true": only what people did. */
  readonly people: string;
}
export const wholeAudit: AuditAsked = { rollout: "", who: "", text: "", people: "" };

/** Of a fragment as `#/devices?text=ward`: a fragment needs nothing of who serves the console, and is never sent. */
export function placeOf(fragment: string): Place {
  const [path = "", query = ""] = fragment.replace(/^#/, "").split("?", 2);
  const asked = new URLSearchParams(query);
  const [page = "", name, ...more] = path.split("/").slice(1).map(decoded);
  const of = (key: string): string => asked.get(key) ?? "";
  const given = (key: string): Record<string, string> => {
    const value = asked.get(key);
    return value === null || value === "" ? {} : { [key]: value };
  };
  if (more.length === 0 && name === undefined)
    switch (page) {
      case "":
      case "fleets":
        return { page: "fleets" };
      case "devices":
        return {
          page,
          filter: {
            text: of("text"),
            fleet: of("fleet"),
            cohort: of("cohort"),
            state: of("state"),
            runs: of("runs"),
          },
        };
      case "audit":
        return {
          page,
          asked: { rollout: of("rollout"), who: of("who"), text: of("text"), people: of("people") },
        };
      case "rollouts":
      case "rehearsals":
      case "alarms":
        return { page };
    }
  if (more.length === 0 && name !== undefined && name !== "")
    switch (page) {
      case "fleets":
        return { page, fleet: name };
      case "devices":
        return { page: "device", thing: name, ...given("line"), ...given("component") };
      case "rollouts":
        return { page: "rollout", rollout: name, ...given("metric"), ...given("from"), ...given("to") };
      case "rehearsals":
        return { page: "rehearsal", commit: name };
    }
  return { page: "lost", path };
}

export function linkTo(place: Place): string {
  const { path, query } = parts(place);
  const told = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) =>
      value === undefined || value === "" ? [] : [[key, value]],
    ),
  ).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${told === "" ? "" : `?${told}`}`;
}

function parts(place: Place): { path: string[]; query: Readonly<Record<string, string | undefined>> } {
  switch (place.page) {
    case "devices":
      return { path: ["devices"], query: { ...place.filter } };
    case "device":
      return { path: ["devices", place.thing], query: { line: place.line, component: place.component } };
    case "rollout":
      return {
        path: ["rollouts", place.rollout],
        query: { metric: place.metric, from: place.from, to: place.to },
      };
    case "audit":
      return { path: ["audit"], query: { ...place.asked } };
    case "rehearsal":
      return { path: ["rehearsals", place.commit], query: {} };
    case "lost":
      return { path: place.path.split("/").slice(1), query: {} };
    case "fleets":
      return { path: ["fleets", ...(place.fleet === undefined ? [] : [place.fleet])], query: {} };
    case "rollouts":
    case "alarms":
    case "rehearsals":
      break;
  }
  return { path: [place.page], query: {} };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A broken escape names nothing that there is.
    return part;
  }
}
