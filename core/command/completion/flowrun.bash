# bash completion for flowrun: the program itself knows what can follow.
_flowrun ()
{
  local line=${COMP_LINE:0:COMP_POINT} current prefix candidate
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[-1]}
  # bash takes '=' and ':' for borders between words and replaces only what follows.
  prefix=
  [[ $current == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]] && prefix=${current%"${current##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    case $candidate in
      :file) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${current#"$prefix"}") ;;
      :dir) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${current#"$prefix"}") ;;
      *) COMPREPLY+=("${candidate#"$prefix"}") ;;
    esac
  done < <("${words[0]}" --complete "${words[@]:1}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _flowrun flowrun
