"""What bash, zsh and fish are told to complete words by, and ``localproc completion``.

Owns the scripts, and how what was typed comes from them. Must not know what is offered.

Click's own scripts take a word for what the shell takes for one: to bash ``last:failed`` is three
of them, so it was not completed. They also drop what was found where files are offered beside it,
and go on with a blank after ``NAME=``.
"""

import os
from typing import ClassVar, Final

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

_BASH: Final = """\
%(complete_func)s() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} part=${COMP_WORDS[COMP_CWORD]} found type value
    local word=${line##*[[:space:]]} cut one
    # What bash puts in place is no more than the part behind the last : or =.
    [[ $part == [:=] ]] && part=""
    cut=${word%%"$part"}
    COMPREPLY=()
    for found in $(env COMP_WORDS="$line" %(complete_var)s=bash_complete "$1"); do
        IFS=',' read -r type value <<< "$found"
        case $type in
            plain) COMPREPLY+=("${value#"$cut"}") ;;
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;  # where nothing else was found
        esac
    done
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH: Final = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a plain described open response
    local type key descr
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s)}")
    for type key descr in ${response}; do
        case $type in
            plain)
                if [[ $key == *= ]]; then open+=("$key")
                elif [[ $descr == "_" ]]; then plain+=("$key")
                else described+=("$key:$descr")
                fi ;;
            dir) _path_files -/ ;;
            file) compset -P '*='; _path_files -f ;;
        esac
    done
    [ -n "$described" ] && _describe -V unsorted described -U
    [ -n "$open" ] && compadd -U -S '' -V unsorted -a open
    [ -n "$plain" ] && compadd -U -V unsorted -a plain
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH: Final = """\
function %(complete_func)s;
    set -l word (commandline -t);
    for found in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \
COMP_CWORD=$word %(prog_name)s);
        set -l parts (string split -m 1 "," $found);
        switch $parts[1];
            case dir;
                __fish_complete_directories $parts[2];
            case file;
                set -l name (string match -r '^[^=/]*=' -- $word);
                for path in (__fish_complete_path (string replace -r '^[^=/]*=' '' -- $word));
                    echo "$name$path";
                end;
            case plain;
                echo $parts[2];
        end;
    end;
end;

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)";
"""


class Bash(BashComplete):
    """Completion in bash, of the line up to the cursor."""

    source_template: ClassVar[str] = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is typed, and that one."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        return (words, "") if line[-1:].isspace() else (words[:-1], words[-1] if words else "")


class Zsh(ZshComplete):
    """Completion in zsh."""

    source_template: ClassVar[str] = _ZSH


class Fish(FishComplete):
    """Completion in fish."""

    source_template: ClassVar[str] = _FISH


SHELLS: Final = tuple(add_completion_class(one).name for one in (Bash, Zsh, Fish))


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what SHELL needs to complete commands, jobs, steps, processes and inputs.

    bash: eval "$(localproc completion bash)"; likewise for zsh; fish: localproc completion fish |
    source
    """
    found = get_completion_class(shell)
    assert found is not None
    root = context.find_root().command
    click.echo(found(root, {}, "localproc", "_LOCALPROC_COMPLETE").source())
