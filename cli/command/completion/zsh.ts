import type { Place, Word } from "./places.ts";

export function zsh(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `"${path}"`);
  return `#compdef coalmine
# zsh completion of coalmine, made by \`coalmine completion zsh\`
_coalmine() {
  local place=coalmine index
  local -a verbs options
  for ((index = 2; index < CURRENT; index++)); do
    case "$place $words[index]" in
      (${known.join("|")}) place="$place $words[index]" ;;
    esac
  done
  case "$place $words[CURRENT-1]" in
${places.flatMap(optionCases).join("\n")}
  esac
  case "$place" in
${places.map(placeCase).join("\n")}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    _describe option options
  elif (( $#verbs )); then
    _describe word verbs
  else
    _files
  fi
}
_coalmine "$@"`;
}

function optionCases({ path, optionValues }: Place): string[] {
  return Object.entries(optionValues).map(
    ([option, values]) =>
      `    ("${path} ${option}") ${values.length === 0 ? "_files" : `compadd -- ${values.join(" ")}`}; return ;;`,
  );
}

function placeCase({ path, verbs, values, options }: Place): string {
  const all = [...verbs, ...values.map((word) => ({ word, what: "" }))];
  return `    ("${path}") verbs=(${all.map(described).join(" ")}); options=(${options.map(described).join(" ")}) ;;`;
}

function described({ word, what }: Word): string {
  return what === "" ? `'${word}'` : `'${word}:${what}'`;
}
