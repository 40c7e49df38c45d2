import type { Place } from "./places.ts";

/** For bash 3.2 and later; without `bash-completion`. Where no word fits, bash offers files. */
export function bash(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `"${path}"`);
  return `# bash completion of coalmine, made by \`coalmine completion bash\`
_coalmine() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local path=coalmine words="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$path \${COMP_WORDS[index]}" in
      ${known.join("|")}) path="$path \${COMP_WORDS[index]}" ;;
    esac
  done
  case "$path $before" in
${places.flatMap(optionCases).join("\n")}
  esac
  case "$path" in
${places.map(placeCase).join("\n")}
  esac
  case "$current" in
    -*) ;;
    *) words="\${words%% --*}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _coalmine coalmine`;
}

function optionCases({ path, optionValues }: Place): string[] {
  return Object.entries(optionValues).map(
    ([option, values]) =>
      `    "${path} ${option}") ${values.length === 0 ? "COMPREPLY=()" : `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current"))`}; return ;;`,
  );
}

/** Options stand last, each behind a space: they are cut off where a verb or a value is wanted. */
function placeCase({ path, verbs, values, options }: Place): string {
  const words = [...verbs.map(({ word }) => word), ...values].join(" ");
  return `    "${path}") words="${words} ${options.map(({ word }) => word).join(" ")}" ;;`;
}
