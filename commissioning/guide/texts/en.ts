import type { GuideTexts } from "./texts.ts";

export const en: GuideTexts = {
  title: "Setting up a device",
  what: "Nine steps, about eight minutes. A phone or a laptop beside the device is enough; it needs no internet.",
  needed: "Bring along",
  needs: [
    "the device’s page code, from its label",
    "the one-time code for this device, from your operators",
    "a network cable, or the Wi-Fi’s name and passphrase",
    "where it is calibrated: the bottle of reference fluid, water, a dry cloth",
  ],
  begin: "Switch the device on, open the address on its label in the browser, and type the page code.",
  steps: {
    site: {
      how: "Choose your language. Type site, room and your name.",
      otherwise: "The site is a short name without spaces, as your operators write it.",
    },
    clock: {
      how: "Compare the device’s clock with your phone’s, and set it where it is wrong.",
      otherwise: "It forgets the time each night? Its battery is empty: change it.",
    },
    network: {
      how: "Plug in the cable, or choose the Wi-Fi and type its passphrase.",
      otherwise: "No network yet? Finish without one: the device does the rest later by itself.",
    },
    checks: {
      how: "Let the device try everything that it has to reach.",
      otherwise: "Something is blocked? Copy the request and send it to the local IT as it is.",
    },
    "self-test": {
      how: "Leave every channel empty and clean, then test.",
      otherwise: "The page says which port and what to change: cable, polarity, speed, or the sensor itself.",
    },
    calibration: {
      how: "Choose instrument and bottle, and do what the page says; or keep the calibration before.",
      otherwise: "Refused? Nothing was changed. Flush, fill without bubbles, begin anew.",
    },
    identity: {
      how: "Type the one-time code. It serves once, and for this device only.",
      otherwise: "Refused? The page says why: ask your operators for a new one.",
    },
    label: {
      how: "Print the label, or write its code on the device by hand.",
      otherwise: "The printer takes the ZPL file; a phone takes the PDF.",
    },
    report: {
      how: "Make the report. Green: the device is in service.",
      otherwise: "It waits for a network? Leave the device switched on.",
    },
  },
  always: "At any time",
  facts: [
    "The power went, or you have to go: what is done is kept. Open the page again, it goes on where it was.",
    "A finished step can be opened again by its name.",
    "Two people may look at the same page.",
    "Keep no code on paper: a used one is worth nothing, an unused one goes back to the operators.",
  ],
};
