import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { AlarmsPage } from "../alarms/alarms-page.tsx";
import { AuditPage } from "../audit/audit-page.tsx";
import { DevicePage } from "../device/device-page.tsx";
import { DevicesPage } from "../devices/devices-page.tsx";
import { FleetsPage } from "../fleets/fleets-page.tsx";
import { everyDevice, linkTo, type Place, wholeAudit } from "../place/place.ts";
import { RehearsalPage, RehearsalsPage } from "../rehearsals/rehearsals-page.tsx";
import { RolloutPage } from "../rollout/rollout-page.tsx";
import { RolloutsPage } from "../rollouts/rollouts-page.tsx";
import { Dialog } from "../shown/dialog.tsx";
import { durationText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { Status } from "../shown/status.tsx";
import { SignInPage } from "../sign-in/sign-in-page.tsx";
import type { Texts } from "../texts/en.ts";
import { useDesk } from "./desk.ts";
import { useKeys } from "./keys.ts";
import { SettingsMenu } from "./settings-menu.tsx";

/** The pages of the menu, with the letter behind `g` that leads there. */
const menu = [
  ["fleets", "f", { page: "fleets" }],
  ["devices", "d", { page: "devices", filter: everyDevice }],
  ["rollouts", "r", { page: "rollouts" }],
  ["alarms", "a", { page: "alarms" }],
  ["audit", "l", { page: "audit", asked: wholeAudit }],
  ["rehearsals", "s", { page: "rehearsals" }],
] as const satisfies readonly (readonly [keyof Texts["pages"], string, Place])[];

/** What stands round every page: the menu, the state of the line, and the page's own title. */
export function Frame() {
  const { place, go, signed, texts, quietMs, language } = useDesk();
  const title = useRef<HTMLHeadingElement>(null);
  const isHelping = useSignal(false);
  const at = place.value;
  const words = texts.value;
  const name = signed.value.kind === "out" ? words.signIn.title : titleOf(at, words);
  const own = linkTo(at.page === "devices" || at.page === "audit" ? { ...at, ...quietPlace } : at);
  const isFirst = useSignal(true);
  useEffect(() => {
    document.title = `${name} · Coalmine`;
    // A page that opens is read from its title on; the first one from the top.
    if (!isFirst.value) title.current?.focus();
    isFirst.value = false;
  }, [own, signed.value.kind]);
  useKeys({
    "?": () => void (isHelping.value = true),
    "/": () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
    ...Object.fromEntries(menu.map(([, key, to]) => [`g ${key}`, () => go(to)])),
  });
  return (
    <>
      <header class="top">
        <a
          class="skip"
          href={linkTo(at)}
          onClick={(event) => {
            event.preventDefault();
            title.current?.focus();
          }}
        >
          {words.skip}
        </a>
        <strong class="brand">Coalmine</strong>
        {signed.value.kind === "in" && (
          <nav aria-label="Coalmine">
            <ul class="plain">
              {menu.map(([page, , to]) => (
                <li key={page}>
                  <To place={to} aria-current={isUnder(at.page, page) ? "page" : undefined}>
                    {words.pages[page]}
                  </To>
                </li>
              ))}
            </ul>
          </nav>
        )}
        <div class="state">
          {signed.value.kind === "in" && <LineState />}
          <button type="button" class="small" onClick={() => void (isHelping.value = true)}>
            {words.help.open}
          </button>
          <SettingsMenu />
        </div>
      </header>
      {signed.value.kind === "in" && quietMs.value !== undefined && (
        <p class="note warn cut" role="alert">
          {words.quiet(durationText(quietMs.value, language.value))}
        </p>
      )}
      <main>
        <h1 ref={title} tabIndex={-1}>
          {name}
        </h1>
        {signed.value.kind === "in" && <Page at={at} />}
        {signed.value.kind === "out" && <SignInPage ended={signed.value.ended} />}
        {signed.value.kind === "asking" && <p role="status">{words.loading}</p>}
      </main>
      {isHelping.value && (
        <Dialog title={words.help.title} closed={() => void (isHelping.value = false)}>
          <dl class="keys">
            {Object.entries(words.help.keys).map(([key, does]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <div class="buttons">
            <button type="button" onClick={() => void (isHelping.value = false)}>
              {words.close}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** A filter that changes leaves a page what it is. */
const quietPlace = { filter: everyDevice, asked: wholeAudit };

function LineState() {
  const { line, quietMs, texts } = useDesk();
  const { line: words } = texts.value;
  if (quietMs.value !== undefined) return <Status tone="bad" word={words.quiet} />;
  if (line.value === "live") return <Status tone="good" word={words.live} />;
  return line.value === "lost" ? (
    <Status tone="warn" word={words.lost} />
  ) : (
    <Status tone="busy" word={words.connecting} />
  );
}

function Page({ at }: { readonly at: Place }) {
  const { texts } = useDesk();
  switch (at.page) {
    case "fleets":
      return <FleetsPage only={at.fleet} />;
    case "devices":
      return <DevicesPage filter={at.filter} />;
    case "device":
      return <DevicePage key={at.thing} thing={at.thing} line={at.line} component={at.component} />;
    case "rollouts":
      return <RolloutsPage />;
    case "rollout":
      return <RolloutPage key={at.rollout} at={at} />;
    case "audit":
      return <AuditPage asked={at.asked} />;
    case "alarms":
      return <AlarmsPage />;
    case "rehearsals":
      return <RehearsalsPage />;
    case "rehearsal":
      return <RehearsalPage key={at.commit} commit={at.commit} />;
    case "lost":
      break;
  }
  return (
    <p>
      {texts.value.lostHint(at.path)} <To place={{ page: "fleets" }}>{texts.value.toFleets}</To>
    </p>
  );
}

function titleOf(at: Place, { pages, lost }: Texts): string {
  if (at.page === "device") return at.thing;
  if (at.page === "rollout") return at.rollout;
  if (at.page === "rehearsal") return `${pages.rehearsals}: ${at.commit.slice(0, 12)}`;
  return at.page === "lost" ? lost : pages[at.page];
}

/** A device's page stands under the devices. */
function isUnder(page: Place["page"], of: (typeof menu)[number][0]): boolean {
  return page === of || `${page}s` === of;
}
