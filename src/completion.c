/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "completion.h"

#include <stdio.h>
#include <string.h>

/* The first word of a verb, when no verb before it begins with it: its length, else 0. */
static int new_word(const struct verb *const *verbs, const struct verb *const *at)
{
    const size_t len = strcspn((*at)->name, " ");

    for (; verbs < at; verbs++) {
        if (strcspn((*verbs)->name, " ") == len && memcmp((*verbs)->name, (*at)->name, len) == 0)
            return 0;
    }
    return (int)len;
}

static void put_verbs(const struct verb *const *verbs)
{
    for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
        const int len = new_word(verbs, verb);
        if (len > 0)
            printf("%.*s\n", len, (*verb)->name);
    }
}

/* ---- names out of the configuration */

static int put_names(struct cli *cli, const char *what)
{
    const bool consumers = strcmp(what, "consumers") == 0;
    const bool endpoints = strcmp(what, "endpoints") == 0;

    if (!consumers && !endpoints && strcmp(what, "spools") != 0)
        return -1;
    const struct config *config = cli_config(cli);
    const size_t count = config == NULL ? 0
                         : consumers    ? config->consumer_count
                         : endpoints    ? config->endpoint_count
                                        : config->spool_count;
    for (size_t i = 0; i < count; i++)
        puts(consumers   ? config->consumers[i].name
             : endpoints ? config->endpoints[i].name
                         : config->spools[i].name);
    return 0;
}

/* What prints the words, as a shell's command; NULL: nothing does. */
static const char *words_command(enum cli_words words)
{
    switch (words) {
    case CLI_CONSUMER:
    case CLI_COMMAND: /* its first operand */
        return "hookspool completion consumers 2>/dev/null";
    case CLI_ENDPOINT:
        return "hookspool completion endpoints 2>/dev/null";
    case CLI_SPOOL:
        return "hookspool completion spools 2>/dev/null";
    case CLI_VERB:
        return "hookspool completion verbs";
    case CLI_SHELL:
        return "echo bash fish zsh";
    case CLI_NOTHING:
    case CLI_FILE:
        break;
    }
    return NULL;
}

/* ---- bash, and zsh by way of its own */

static void put_bash_words(enum cli_words words)
{
    const char *command = words_command(words);

    if (command != NULL)
        printf("COMPREPLY=($(compgen -W \"$(%s)\" -- \"$word\"))", command);
    else if (words == CLI_FILE)
        printf("COMPREPLY=($(compgen -f -- \"$word\"))");
    else
        printf("COMPREPLY=()");
}

/* The options of a verb as words. */
static void put_bash_options(const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++)
        printf(" --%s", option->name);
}

/* After an option with an argument: what that can be. */
static void put_bash_arguments(const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        if (option->argument == NULL)
            continue;
        printf("        --%s", option->name);
        if (option->letter != 0)
            printf("|-%c", option->letter);
        printf(") ");
        put_bash_words(option->words);
        printf("; return ;;\n");
    }
}

static void put_bash_verb(const struct verb *verb)
{
    printf("    '%s')\n        case $before in\n", verb->name);
    put_bash_arguments(verb->options);
    put_bash_arguments(cli_globals());
    printf("        esac\n        if [[ $word == -* ]]; then\n"
           "            COMPREPLY=($(compgen -W '");
    put_bash_options(verb->options);
    put_bash_options(cli_globals());
    printf("' -- \"$word\"))\n        else\n            ");
    put_bash_words(verb->words);
    printf("\n        fi ;;\n");
}

static void put_bash(const struct verb *const *verbs)
{
    printf("_hookspool()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb i\n"
           "    COMPREPLY=()\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        [[ ${COMP_WORDS[i]} == -- ]] && { compopt -o default 2>/dev/null; return; }\n"
           "        [[ ${COMP_WORDS[i]} == -* ]] && continue\n"
           "        [[ ${COMP_WORDS[i-1]} == -c || ${COMP_WORDS[i-1]} == --config ]] && continue\n"
           "        [[ -z $verb ]] && verb=${COMP_WORDS[i]}\n"
           "        [[ $verb == secret && $i -gt 1 && ${COMP_WORDS[i-1]} == secret ]] &&\n"
           "            verb=\"secret ${COMP_WORDS[i]}\"\n"
           "    done\n"
           "    case $verb in\n");
    for (const struct verb *const *verb = verbs; *verb != NULL; verb++)
        put_bash_verb(*verb);
    printf("    secret) COMPREPLY=($(compgen -W 'new rotate' -- \"$word\")) ;;\n"
           "    '')\n"
           "        case $before in\n");
    put_bash_arguments(cli_globals());
    printf("        esac\n        ");
    put_bash_words(CLI_VERB);
    printf(" ;;\n    esac\n}\n");
}

/* ---- fish */

static void put_fish_text(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void put_fish_words(enum cli_words words)
{
    const char *command = words_command(words);

    if (command != NULL)
        printf(" -f -a '(%s)'", command);
    else if (words == CLI_FILE)
        printf(" -F");
    else
        printf(" -f");
}

/* Completes under a condition: that a verb's words stand in the line. */
static void put_fish_head(const struct verb *verb)
{
    const char *blank = strchr(verb->name, ' ');

    if (blank == NULL)
        printf("complete -c hookspool -n '__fish_seen_subcommand_from %s'", verb->name);
    else
        printf("complete -c hookspool -n '__fish_seen_subcommand_from %.*s; and "
               "__fish_seen_subcommand_from %s'", (int)(blank - verb->name), verb->name,
               blank + 1);
}

static void put_fish_options(const struct verb *verb, const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        put_fish_head(verb);
        printf(" -l %s", option->name);
        if (option->letter != 0)
            printf(" -s %c", option->letter);
        printf(" -d ");
        put_fish_text(option->help);
        if (option->argument != NULL) {
            printf(" -r");
            put_fish_words(option->words);
        }
        putchar('\n');
    }
}

static void put_fish(const struct verb *const *verbs)
{
    printf("complete -c hookspool -f\n");
    for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
        const int len = (int)strcspn((*verb)->name, " ");
        printf("complete -c hookspool -n __fish_use_subcommand -a %.*s -d ", len, (*verb)->name);
        put_fish_text((*verb)->summary);
        putchar('\n');
        if ((*verb)->name[len] == ' ')
            printf("complete -c hookspool -n '__fish_seen_subcommand_from %.*s; and not "
                   "__fish_seen_subcommand_from new rotate' -a %s\n", len, (*verb)->name,
                   (*verb)->name + len + 1);
        put_fish_head(*verb);
        put_fish_words((*verb)->words);
        putchar('\n');
        put_fish_options(*verb, (*verb)->options);
        put_fish_options(*verb, cli_globals());
    }
}

int completion_print(struct cli *cli, const struct verb *const *verbs, const char *what)
{
    if (strcmp(what, "bash") == 0) {
        put_bash(verbs);
        printf("complete -F _hookspool hookspool\n");
    } else if (strcmp(what, "zsh") == 0) {
        /* zsh runs completions of bash. */
        printf("#compdef hookspool\nautoload -Uz bashcompinit && bashcompinit\n");
        put_bash(verbs);
        printf("complete -F _hookspool hookspool\n");
    } else if (strcmp(what, "fish") == 0) {
        put_fish(verbs);
    } else if (strcmp(what, "verbs") == 0) {
        put_verbs(verbs);
    } else {
        return put_names(cli, what);
    }
    return 0;
}
