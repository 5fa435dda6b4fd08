"""The `sh` scripts of `velora.patch.history`. Input: $W, the working directory, and $base."""

NO_GIT = 3
NO_REPOSITORY = 4

FIND = f"""D=$W
while [ ! -e "$D/.git" ]; do
  [ -n "$D" ] || exit {NO_REPOSITORY}
  D=${{D%/*}}
done
"""
"""Sets $D to the root of the repository that $W is in."""

# Names that git leaves in its directory and that can lead to commits outside HEAD's history.
_LEFTOVERS = """for g in "$own" "$common"; do
  rm -rf "$g/logs" "$g/info/refs" "$g/remotes" "$g/branches" "$g/lost-found" "$g/sequencer" \\
    "$g/rebase-merge" "$g/rebase-apply" "$g/gitk.cache" "$g"/BISECT_* "$g"/*_HEAD \\
    "$g/AUTO_MERGE" "$g"/*_MSG "$g"/*_EDITMSG "$g/MERGE_MODE" "$g/MERGE_RR" || exit 1
done
"""

SEAL = f"""command -v git >/dev/null && git --version >/dev/null || exit {NO_GIT}
export GIT_DIR="$D/.git" GIT_WORK_TREE="$D" HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent
cd "$D" || exit 1
git() {{
  command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 \\
    -c core.fsync=none -c core.multiPackIndex=false "$@"
}}
own=$(git rev-parse --absolute-git-dir) || exit 1
common=$(git rev-parse --git-common-dir) && common=$(cd "$common" && pwd -P) || exit 1
objects=$(git rev-parse --git-path objects) && objects=$(cd "$objects" && pwd -P) || exit 1
head=$(git rev-parse -q --verify 'HEAD^{{commit}}') || head=
branch=$(git symbolic-ref -q HEAD) || branch=
if [ -z "$head" ] && {{ [ -z "$branch" ] || git show-ref -q --verify "$branch"; }}; then
  echo 'HEAD names no commit' >&2
  exit 1
fi
if [ -n "$base" ] && [ -n "$head" ] && b=$(git rev-parse -q --verify "$base^{{commit}}") &&
  ! git merge-base --is-ancestor "$b" "$head"; then
  echo "base_commit_elsewhere: $b is no part of the history of HEAD, $head; it is removed"
fi
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# References: HEAD's branch and the tags on its history stay, and what other worktrees stand on.
git worktree prune --expire=now 2>/dev/null
git worktree list --porcelain >"$T/worktrees" 2>/dev/null
{{
  if [ -n "$branch" ]; then echo "$branch"; fi
  sed -n 's/^branch //p' "$T/worktrees"
  if [ -n "$head" ]; then
    git for-each-ref --merged="$head" --format='%(refname)' refs/tags || exit 1
  fi
}} >"$T/keep" || exit 1
git for-each-ref --format='%(refname)' >"$T/all" || exit 1
grep -vxFf "$T/keep" "$T/all" | sed 's/^/delete /' >"$T/delete"
if [ -s "$T/delete" ]; then git update-ref --no-deref --stdin <"$T/delete" || exit 1; fi
if [ "$(grep -c '^worktree ' "$T/worktrees")" -gt 1 ]; then
  echo 'history_not_sealed: another worktree shares the repository and keeps its own history'
fi
for remote in $(git remote); do
  git config --file "$common/config" --remove-section "remote.$remote" 2>/dev/null
done
git config --file "$common/config" --name-only --get-regexp '^branch\\.' | while read -r key; do
  git config --file "$common/config" --unset-all "$key"
done
if [ -d "$common/reftable" ]; then git reflog expire --expire=all --all || exit 1; fi
{_LEFTOVERS}
# Objects: what HEAD, the kept references and the index do not reach goes.
some=
if [ -n "$(git config extensions.partialClone)" ]; then some=--missing=allow-any; fi
{{
  if [ -n "$head" ]; then echo "$head"; fi
  git for-each-ref --format='%(objectname)' || exit 1
  sed -n 's/^HEAD //p' "$T/worktrees" | grep -v '^0*$'
}} >"$T/roots"
git rev-list --objects --indexed-objects $some --stdin <"$T/roots" >"$T/list" || exit 1
reached=$(($(wc -l <"$T/list")))
there=$(git count-objects -v | {{
  n=0
  while read -r name count; do
    case $name in count: | in-pack:) n=$((n + count)) ;; esac
  done
  echo "$n"
}})
if [ "$reached" -eq "$there" ] && [ ! -s "$objects/info/alternates" ]; then exit 0; fi
new=$(git pack-objects -q --delta-base-offset "$objects/pack/pack" <"$T/list") || exit 1
packed=$(($(git show-index <"$objects/pack/pack-$new.idx" | wc -l)))
if [ "$packed" -ne "$reached" ]; then
  echo "the new pack holds $packed of $reached objects" >&2
  exit 1
fi
for file in "$objects"/pack/*; do
  case ${{file##*/}} in
    "pack-$new".*) ;;
    *) rm -f "$file" || exit 1 ;;
  esac
done
if [ -n "$some" ]; then : >"$objects/pack/pack-$new.promisor"; fi
if [ -s "$objects/info/alternates" ]; then
  echo 'alternates_removed: objects were borrowed from another store, which may be readable still'
fi
rm -rf "$objects"/[0-9a-f][0-9a-f] "$objects/info/commit-graph" "$objects/info/commit-graphs" \\
  "$objects/info/alternates" "$objects/info/packs" || exit 1
echo "history_sealed: $there objects before, $reached now"
"""
"""Seals the repository at $D with git; prints notes, a line each."""

STRIP = f"""own=$D/.git
common=$own
if [ ! -d "$own" ]; then
  echo ".git is not a directory" >&2
  exit 1
fi
IFS= read -r head <"$own/HEAD" || exit 1
branch=${{head#ref: }}
kept=
if [ -f "$own/$branch" ]; then IFS= read -r kept <"$own/$branch"; fi
rm -rf "$own"/refs/* || exit 1
mkdir -p "$own/refs/heads" "$own/refs/tags" || exit 1
if [ -n "$kept" ]; then
  mkdir -p "$own/${{branch%/*}}" && printf '%s\\n' "$kept" >"$own/$branch" || exit 1
fi
{_LEFTOVERS}printf '%s\\n' "$own"
"""
"""Removes what names other commits at $D without git; prints the git directory."""
