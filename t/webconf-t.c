/* SPDX-License-Identifier: ISC */
/*
 * The configurations of web servers as trees: what their syntax means, and what becomes of files
 * that are broken, huge, or include themselves.
 */
#include "autoconf.h"

#include "apacheconf.h"
#include "nginxconf.h"
#include "webconf.h"
#include "webvalue.h"

#include "tap.h"
#include "temp.h"

/* ---- trees as text: name(args){children}, parted by blanks */

struct text {
    char bytes[4096];
    size_t len;
};

static void put(struct text *text, const char *piece)
{
    text->len += (size_t)snprintf(text->bytes + text->len, sizeof(text->bytes) - text->len, "%s",
                                  piece);
    if (text->len >= sizeof(text->bytes))
        text->len = sizeof(text->bytes) - 1;
}

static void put_children(struct text *text, const struct webconf_node *block)
{
    for (const struct webconf_node *node = block->first; node != NULL; node = node->next) {
        put(text, node == block->first ? "" : " ");
        put(text, node->name);
        for (size_t i = 0; i < node->count; i++) {
            put(text, i == 0 ? "(" : "|");
            put(text, node->args[i]);
        }
        put(text, node->count > 0 ? ")" : "");
        if (node->block) {
            put(text, "{");
            put_children(text, node);
            put(text, "}");
        }
    }
}

static const char *written(const struct webconf *conf, struct text *text)
{
    text->len = 0;
    text->bytes[0] = '\0';
    put_children(text, &conf->root);
    return text->bytes;
}

static const char *problem(const struct webconf *conf)
{
    return conf->problem_count > 0 ? conf->problems[0] : "";
}

struct syntax {
    const char *text, *tree, *problem;
};

static void check_syntax(struct webconf *(*parse)(const char *, const char *), const char *who,
                         const struct syntax *rows, size_t count)
{
    struct text text;

    for (size_t i = 0; i < count; i++) {
        struct webconf *conf = parse("f", rows[i].text);
        is_str(written(conf, &text), rows[i].tree, "%s %zu: the tree", who, i);
        is_str(problem(conf), rows[i].problem, "%s %zu: what is wrong", who, i);
        webconf_free(conf);
    }
}

static void nginx_syntax(void)
{
    static const struct syntax rows[] = {
        {"", "", ""},
        {" \t\r\n# nothing\n", "", ""},
        {"a;", "a", ""},
        {"a b  c;d\te;", "a(b|c) d(e)", ""},
        {"a { b c; d { e; } } f;", "a{b(c) d{e}} f", ""},
        {"a{b;}c{}", "a{b} c{}", ""},
        {"a # not; this\n b;", "a(b)", ""},
        {"a b#c;", "a(b#c)", ""},
        {"a 'b ; c' \"d { e\";", "a(b ; c|d { e)", ""},
        {"a \"b \\\" c\" 'd \\' e';", "a(b \" c|d ' e)", ""},
        {"a b\\ c \\; d;", "a(b\\ c|\\;|d)", ""},
        {"a \\.php$ \"x\\ty\";", "a(\\.php$|x\ty)", ""},
        {"a '';", "a()", ""},
        {"a ${b}c $d{ e; }", "a(${b}c|$d){e}", ""},
        {"location ~ \\.php$ { x; }", "location(~|\\.php$){x}", ""},
        {"if ($a = b) { c; }", "if(($a|=|b)){c}", ""},
        {"a \"b\nc\";\nd", "a(b\nc)", "f:3: the file ends before 'd' does"},
        {"a 'b", "", "f:1: a quote is never closed"},
        {"a {\n b;", "a{b}", "f:2: the file ends before 'a' does"},
        {"a; }", "a", "f:1: a '}' too many"},
        {"a { b }", "a{}", "f:1: 'b' lacks its semicolon"},
        {"; ; a;", "a", ""},
        {"{ a; }", "a", "f:1: a '}' too many"},
        {"x_by_lua_block { if a then { \"b\" } end } c;", "x_by_lua_block{} c", ""},
        {"include nowhere;", "include(nowhere)", ""},
        {"\xff\xfe \x01;", "\xff\xfe(\x01)", ""},
        {"a \\", "", "f:1: the file ends before 'a' does"},
    };

    check_syntax(nginxconf_parse, "nginx", rows, COUNT(rows));
}

static void apache_syntax(void)
{
    static const struct syntax rows[] = {
        {"", "", ""},
        {"# nothing\n\n   \t\n", "", ""},
        {"A b c\nD", "A(b|c) D", ""},
        {"A \"b c\" 'd e'", "A(b c|d e)", ""},
        {"A \"b \\\" c\" 'd \\' e' \\\\f", "A(b \" c|d ' e|\\f)", ""},
        {"A \"b\\c\"", "A(b\\c)", ""},
        {"A b \\\n  c\nD", "A(b|c) D", ""},
        {"A b\\\r\nc\r\nD\r\n", "A(bc) D", ""},
        {"# A \\\nB\nC", "C", ""},
        {"A \"b c", "A(b c)", ""},
        {"<Location \"/a b/\">\n X y\n</Location>\nZ", "Location(/a b/){X(y)} Z", ""},
        {"<A>\n<B c>\nD\n</B>\n</A>", "A{B(c){D}}", ""},
        {"<location /x>\nY\n</LOCATION>", "location(/x){Y}", ""},
        {"<If \"%{HTTP:X} -gt 1\">\nY\n</If>", "If(%{HTTP:X} -gt 1){Y}", ""},
        {"<IfModule mod_x.c>\nA\n</IfModule>", "A", ""},
        {"<IfModule !mod_x.c>\nA\n</IfModule>\nB", "B", ""},
        {"LoadModule y_module f\n<IfModule mod_x.c>\nA\n</IfModule>\n<IfModule y_module>\nB\n"
         "</IfModule>\n<IfModule !x_module>\nC\n</IfModule>", "LoadModule(y_module|f) B C", ""},
        {"<IfDefine A>\nB\n</IfDefine>\nDefine A\n<IfDefine A>\nC\n</IfDefine>\n"
         "<IfDefine !A>\nD\n</IfDefine>", "Define(A) C", ""},
        {"<IfDefine A>\n<IfModule x.c>\nB\n</IfModule>\n<C>\nD\n</C>\n</IfDefine>\nE", "E", ""},
        {"Define a b\nX ${a}c ${none} $a", "Define(a|b) X(bc|${none}|$a)", ""},
        {"Define a \"b c\"\nX ${a}\nUnDefine a\nX ${a}",
         "Define(a|b c) X(b|c) UnDefine(a) X(${a})", ""},
        {"<Macro m>\nFcgidWrapper hookspoold\n</Macro>\nA", "Macro(m){} A", ""},
        {"<A>\nB", "A{B}", "f:3: <A> is never closed"},
        {"</A>\nB", "", "f:1: </A> ends no section"},
        {"<A>\n</B>", "A{}", "f:2: </B> ends no section"},
        {"<A\nB\n</A>", "A{B}", "f:1: a section lacks its '>'"},
        {"<>", "", "f:1: a section without a name"},
    };

    check_syntax(apacheconf_parse, "Apache", rows, COUNT(rows));
}

/* ---- files that include others */

static void write_file(const struct temp *temp, const char *name, const char *text)
{
    temp_put(temp->dir, name, text, strlen(text));
}

static struct webconf *load(const struct temp *temp, struct webconf *(*loader)(const char *),
                            const char *name)
{
    char path[PATH_MAX + 300];

    snprintf(path, sizeof(path), "%s/%s", temp->path, name);
    return loader(path);
}

static void nginx_files(void)
{
    struct temp temp;
    struct text text;
    char long_text[PATH_MAX + 100];

    temp_make(&temp);
    (void)mkdirat(temp.dir, "sites", 0750);
    (void)mkdirat(temp.dir, "a directory", 0750);
    write_file(&temp, "main", "include sites/*; http { include one; include none*; }");
    write_file(&temp, "sites/b", "b; include one;");
    write_file(&temp, "sites/a", "a {");
    write_file(&temp, "one", "one;");
    struct webconf *conf = load(&temp, nginxconf_load, "main");
    is_str(written(conf, &text), "include(sites/*) a{} b include(one) one "
           "http{include(one) one include(none*)}", "includes stand in their place, sorted");
    ok(strstr(problem(conf), "sites/a:1: the file ends before 'a' does") != NULL,
       "a broken one is named");
    is_int(conf->problem_count, 1, "... and nothing else");
    ok(strstr(conf->root.first->next->file, "/sites/a") != NULL, "a directive knows its file");
    webconf_free(conf);

    snprintf(long_text, sizeof(long_text),
             "include \"%s/one\"; include gone; include 'a directory';", temp.path);
    write_file(&temp, "main", long_text);
    conf = load(&temp, nginxconf_load, "main");
    is_int(conf->nodes, 4, "an absolute name");
    is_int(conf->problem_count, 2, "what is not there, and what is no file");
    ok(strstr(problem(conf), "main:1: cannot read") != NULL, "... with the place that names it");
    webconf_free(conf);

    write_file(&temp, "main", "a; include main; b;");
    conf = load(&temp, nginxconf_load, "main");
    ok(strstr(problem(conf), "does it include itself?") != NULL, "one that includes itself");
    ok(!conf->full, "... ends by its depth");
    webconf_free(conf);

    write_file(&temp, "main", "include main; include main;");
    conf = load(&temp, nginxconf_load, "main");
    ok(conf->full && conf->files <= WEBCONF_FILES + 1, "twice: ends by the number of files");
    webconf_free(conf);

    conf = load(&temp, nginxconf_load, "nothing");
    ok(strstr(problem(conf), "cannot read") != NULL, "no such file");
    is_int(conf->nodes, 0, "... and no tree");
    webconf_free(conf);

    if (mkfifoat(temp.dir, "fifo", 0600) == 0) {
        conf = load(&temp, nginxconf_load, "fifo");
        is_int(conf->problem_count, 1, "a FIFO is not waited for");
        webconf_free(conf);
    }
    temp_put(temp.dir, "nul", "a;\0b;", 5);
    conf = load(&temp, nginxconf_load, "nul");
    ok(strstr(problem(conf), "NUL") != NULL && conf->nodes == 0, "NUL bytes are refused");
    webconf_free(conf);
    conf = nginxconf_load("/dev/zero");
    is_int(conf->problem_count, 1, "a device is not read");
    webconf_free(conf);
    temp_drop(&temp);
}

static void apache_files(void)
{
    struct temp temp;
    struct text text;
    char root[PATH_MAX + 400];

    temp_make(&temp);
    (void)mkdirat(temp.dir, "sites", 0750);
    (void)mkdirat(temp.dir, "sites/deep", 0750);
    (void)mkdirat(temp.dir, "other", 0750);
    write_file(&temp, "envvars", "# x\nexport SUFFIX=\"\"\nexport APACHE_RUN_USER=www-data\n"
               "export A=/var/log$SUFFIX\n  export B=\"b c\"\nexport C=$(id)\nD=1\nexport E\n");
    write_file(&temp, "main", "User ${APACHE_RUN_USER}\nA ${A}\nB ${B}\nC ${C}\n"
               "IncludeOptional gone\nIncludeOptional none/*\n<VirtualHost *:80>\n"
               "Include sites\n</VirtualHost>\nInclude si*s/o?e\n");
    write_file(&temp, "sites/one", "One\n");
    write_file(&temp, "sites/deep/two", "Two\n");
    write_file(&temp, "sites/.hidden", "Hidden\n");
    struct webconf *conf = load(&temp, apacheconf_load, "main");
    is_str(written(conf, &text),
           "User(www-data) A(/var/log) B(b) C(${C}) IncludeOptional(gone) "
           "IncludeOptional(none/*) VirtualHost(*:80){Include(sites) Two One} "
           "Include(si*s/o?e) One",
           "variables of envvars, files, directories and patterns");
    is_int(conf->problem_count, 0, "what is optional may be missing");
    webconf_free(conf);

    snprintf(root, sizeof(root), "ServerRoot \"%s/other\"\nInclude three\nInclude gone\n",
             temp.path);
    write_file(&temp, "main", root);
    write_file(&temp, "other/three", "Three\n");
    conf = load(&temp, apacheconf_load, "main");
    ok(strstr(written(conf, &text), "Include(three) Three") != NULL, "ServerRoot");
    is_int(conf->problem_count, 1, "Include wants its file");
    webconf_free(conf);

    write_file(&temp, "main", "Include main\nInclude main\n");
    conf = load(&temp, apacheconf_load, "main");
    ok(conf->full && conf->files <= WEBCONF_FILES + 1, "one that includes itself, twice");
    webconf_free(conf);
    if (symlinkat(".", temp.dir, "sites/loop") == 0) {
        write_file(&temp, "main", "Include sites\n");
        conf = load(&temp, apacheconf_load, "main");
        ok(conf->files <= WEBCONF_FILES + 1, "a directory in itself");
        webconf_free(conf);
    }
    temp_drop(&temp);
}

/* ---- large and deep */

static char *repeat(const char *piece, size_t count, const char *end)
{
    const size_t len = strlen(piece);
    char *text = malloc(len * count + strlen(end) + 1);

    if (text == NULL)
        temp_die("memory");
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, piece, len);
    memcpy(text + len * count, end, strlen(end) + 1);
    return text;
}

static void large(void)
{
    static const struct {
        const char *piece, *end;
        size_t count;
    } rows[] = {
        {"a;", "", 1024 * 1024}, {"a{", "", 1024 * 1024}, {"}", "", 1024},
        {"a ", ";", 1024 * 1024}, {"\"", "", 1024 * 1024 + 1}, {"x", ";", 10 * 1024 * 1024},
        {"\\", ";", 10 * 1024 * 1024}, {"a 'b';\n", "", 1024 * 1024}, {"${", ";", 1024 * 1024},
        {"x_by_lua_block {", "", 1024 * 1024}, {"<A>\n", "", 1024 * 1024},
        {"<IfModule x>\n", "", 1024 * 1024}, {"A b\\\n", "", 1024 * 1024},
        {"Define a ${a}${a}x\n", "", 10 * 1000}, {"LoadModule a b\n<IfModule c>\n</IfModule>\n",
         "", 20 * 1000}, {"# \\\n", "", 1024 * 1024}, {"</A>\n", "", 1000}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = repeat(rows[i].piece, rows[i].count, rows[i].end);
        struct webconf *nginx = nginxconf_parse("f", text);
        struct webconf *apache = apacheconf_parse("f", text);
        ok(nginx->nodes <= 200 * 1000 + 1 && nginx->problem_count <= WEBCONF_PROBLEMS,
           "nginx: much of the same, %zu", i);
        ok(apache->nodes <= 200 * 1000 + 2 && apache->problem_count <= WEBCONF_PROBLEMS,
           "Apache: much of the same, %zu", i);
        webconf_free(nginx);
        webconf_free(apache);
        free(text);
    }
}

/* ---- values */

static void values(void)
{
    static const struct {
        const char *text;
        int64_t nginx_size, nginx_time, apache_size, apache_time; /* -1: none */
    } rows[] = {
        {"0", 0, 0, 0, 0}, {"60", 60, 60000, 60, 60000}, {"1m", 1048576, 60000, -1, -1},
        {"512k", 524288, -1, -1, -1}, {"1G", INT64_C(1) << 30, -1, -1, -1},
        {"12s", -1, 12000, -1, 12000}, {"500ms", -1, 500, -1, 500}, {"1m30s", -1, 90000, -1, -1},
        {"1h 30m", -1, 5400000, -1, -1}, {"2mi", -1, -1, -1, 120000},
        {"1h", -1, 3600000, -1, 3600000},
        {"1M", 1048576, INT64_C(2592000000), -1, -1}, {"", -1, -1, -1, -1}, {"x", -1, -1, -1, -1},
        {"-1", -1, -1, -1, -1}, {"1mm", -1, -1, -1, -1}, {"99999999999999999999", -1, -1, -1, -1},
        {"99999999999999999999k", -1, -1, -1, -1}, {"1 ", -1, 1000, -1, -1}, {" 1", -1, -1, -1, -1},
        {"999999999999y", -1, -1, -1, -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = rows[i].text;
        uint64_t size;
        int64_t ms;
        is_int(webvalue_nginx_size(text, &size) < 0 ? -1 : (int64_t)size, rows[i].nginx_size,
               "nginx, a size of '%s'", text);
        is_int(webvalue_apache_size(text, &size) < 0 ? -1 : (int64_t)size, rows[i].apache_size,
               "Apache, a size of '%s'", text);
        is_int(webvalue_nginx_time(text, &ms) < 0 ? -1 : ms, rows[i].nginx_time,
               "nginx, a time of '%s'", text);
        is_int(webvalue_apache_time(text, &ms) < 0 ? -1 : ms, rows[i].apache_time,
               "Apache, a time of '%s'", text);
    }
}

static void expressions(void)
{
    static const struct {
        const char *regex, *text;
        bool any_case;
        int matches;
    } rows[] = {
        {"\\.php$", "/a.php", false, 1}, {"\\.php$", "/a.PHP", false, 0},
        {"\\.php$", "/a.PHP", true, 1}, {"^/(a|b)/\\d+$", "/b/42", false, 1},
        {"^/\\w+/x", "/web_hooks/x", false, 1}, {"^/webhooks\\/", "/webhooks/a", false, 1},
        {"^/[a-z-]+$", "/a-b", false, 1}, {"(?i)x", "X", false, -1}, {"a.*?b", "ab", false, -1},
        {"a++", "a", false, -1}, {"a{3}", "aaa", false, -1}, {"[\\w]", "a", false, -1},
        {"(", "", false, -1}, {"a\\", "a", false, -1}, {"\\1", "a", false, -1},
        {"\xc3\xa9", "e", false, -1}, {"", "x", false, 1},
    };
    char *long_regex = repeat("(a*)*", 100, "");

    for (size_t i = 0; i < COUNT(rows); i++)
        is_int(webconf_matches(rows[i].regex, rows[i].text, rows[i].any_case), rows[i].matches,
               "'%s' of '%s'", rows[i].regex, rows[i].text);
    is_int(webconf_matches(long_regex, "a", false), -1, "a long one is not tried");
    free(long_regex);
}

int main(void)
{
    temp_start();
    nginx_syntax();
    apache_syntax();
    nginx_files();
    apache_files();
    large();
    values();
    expressions();
    return done_testing();
}
