/* The grammar. Actions call constructors (lang/ast_build.h) and nothing else; tokens come through
 * the filter in parse.c, which decides where lines end and which braces belong to maps.
 *
 * After a syntax error the statement at hand becomes POISON: RESUME drops the token that did not
 * fit, the filter drops the rest of the statement, and NEW_LINE or `}` goes on as if it had been
 * well-formed. Error productions follow lists, so that what was parsed before the error stays. */
%define api.pure full
%define api.prefix {rnet_}
%define api.token.prefix {TOKEN_}
%define api.token.raw
%define api.value.type {union token_value}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct parser *parser}
%initial-action { @$ = (struct span){.source = parser->index}; }

%code requires {
#include "lang/parse.h"
}

%code {
#define YYMAXDEPTH 10000
#define YYLLOC_DEFAULT(result, right, count)                                                       \
    do {                                                                                           \
        const struct span *first = &YYRHSLOC(right, (count) > 0 ? 1 : 0);                          \
        (result) = (struct span){                                                                  \
            .source = first->source,                                                               \
            .begin = (count) > 0 ? first->begin : first->end,                                      \
            .end = YYRHSLOC(right, count).end,                                                     \
        };                                                                                         \
    } while (0)

/* Goes on at the end of the statement in which a syntax error was found. */
#define RESUME                                                                                     \
    do {                                                                                           \
        if (parser->is_skipping)                                                                   \
            yyclearin;                                                                             \
    } while (0)

static void rnet_error(const struct span *span, struct parser *parser, const char *message);
}

/* Classes of tokens have an article in their names, all others are written as they are named. */
%token END 0 "the end of the file"
%token START_FILE "a file" START_EXPRESSION "an argument"
%token NEW_LINE "a new line"
%token <name> NAME "a name" LABEL "a label" STRING "a string"
%token <node> INTEGER "an integer" NUMBER "a number"
%token BLOCK "block" STAGE "stage" NETWORK "network" RECIPE "recipe" TRAIN "train" USE "use"
%token LET "let" REQUIRE "require" FOR "for" IN "in" IF "if" THEN "then" ELSE "else"
%token INPUT "input" OUTPUT "output" TRUE "true" FALSE "false" AND "and" OR "or" NOT "not"
%token ASSIGN "=" COMMA "," COLON ":" DOT "."
%token OPEN_ROUND "(" CLOSE_ROUND ")" OPEN_SQUARE "[" CLOSE_SQUARE "]"
%token OPEN_BODY "{" CLOSE_BODY "}" OPEN_MAP "{ of a map" CLOSE_MAP "} of a map"
%token THEN_BLOCK ">>" RANGE ".." EQUAL "==" NOT_EQUAL "!=" LESS "<" LESS_EQUAL "<="
%token GREATER ">" GREATER_EQUAL ">=" PLUS "+" MINUS "-" TIMES "*" DIVIDE "/" REMAINDER "%"
%token POWER "^"

%type <node> declarations declaration binding parameters parameter_list parameter body statements
%type <node> statement demand arm_body arms arm setting_body settings setting expression
%type <node> disjunction conjunction negation comparison range sum product chain unary power
%type <node> labelled postfix primary elements entries entry arguments argument_list argument

%%

start
    : START_FILE                    { parser->result = NULL; }
    | START_FILE declarations       { parser->result = $2; }
    | START_EXPRESSION expression   { parser->result = $2; }
    | START_EXPRESSION error        { RESUME; parser->result = build_poison(parser, @$); }
    ;

/* A file is a sequence of declarations, each on its own line. */
declarations
    : declaration                           { $$ = build_list(parser, $1); }
    | declarations separator declaration    { $$ = build_append(parser, $1, $3); }
    | declarations error                    { RESUME; $$ = $1; }
    ;
separator: NEW_LINE { yyerrok; } ;

declaration
    : "use" NAME
        { $$ = build_named(parser, NODE_USE, @$, $2, @2, NULL, NULL); }
    | binding
    | NAME "=" expression
        { $$ = build_missing_let(parser, @$, $1, @1, $3); }
    | "block" NAME parameters "=" expression
        { $$ = build_named(parser, NODE_BLOCK, @$, $2, @2, $3, $5); }
    | "block" NAME parameters body
        { $$ = build_named(parser, NODE_BLOCK, @$, $2, @2, $3, $4); }
    | "stage" NAME parameters arm_body
        { $$ = build_named(parser, NODE_STAGE, @$, $2, @2, $3, $4); }
    | "network" NAME parameters body
        { $$ = build_named(parser, NODE_NETWORK, @$, $2, @2, $3, $4); }
    | "recipe" NAME parameters setting_body
        { $$ = build_named(parser, NODE_RECIPE, @$, $2, @2, $3, $4); }
    | "train" NAME "=" expression
        { $$ = build_named(parser, NODE_TRAIN, @$, $2, @2, NULL, $4); }
    | "train" NAME setting_body
        { $$ = build_named(parser, NODE_TRAIN, @$, $2, @2, NULL, $3); }
    | error
        { RESUME; $$ = build_poison(parser, @$); }
    ;

binding
    : "let" NAME "=" expression
        { $$ = build_named(parser, NODE_LET, @$, $2, @2, NULL, $4); }
    ;

/* Parameters: `(a, b = 1)`, or nothing. */
parameters
    : %empty                            { $$ = NULL; }
    | "(" ")"                           { $$ = NULL; }
    | "(" parameter_list comma ")"      { $$ = $2; }
    ;
parameter_list
    : parameter                         { $$ = build_list(parser, $1); }
    | parameter_list "," parameter      { $$ = build_append(parser, $1, $3); }
    ;
parameter
    : NAME
        { $$ = build_named(parser, NODE_PARAMETER, @$, $1, @1, NULL, NULL); }
    | NAME "=" expression
        { $$ = build_named(parser, NODE_PARAMETER, @$, $1, @1, NULL, $3); }
    ;
comma: %empty | "," ;

/* The body of a block, a network or a `for`. */
body
    : "{" "}"               { $$ = build_group(parser, NODE_BODY, @$, NULL); }
    | "{" statements "}"    { yyerrok; $$ = build_group(parser, NODE_BODY, @$, $2); }
    ;
statements
    : statement                         { $$ = build_list(parser, $1); }
    | statements separator statement    { $$ = build_append(parser, $1, $3); }
    | statements error                  { RESUME; $$ = $1; }
    ;
statement
    : binding
    | demand
    | NAME "=" expression
        { $$ = build_missing_let(parser, @$, $1, @1, $3); }
    | "input" NAME "(" arguments ")"
        { $$ = build_named(parser, NODE_INPUT, @$, $2, @2, $4, NULL); }
    | "output" NAME "=" expression
        { $$ = build_named(parser, NODE_OUTPUT, @$, $2, @2, NULL, $4); }
    | "for" NAME "in" expression body
        { $$ = build_for(parser, @$, NULL, $2, @2, $4, $5); }
    | "for" NAME "," NAME "in" expression body
        { $$ = build_for(parser, @$, $2, $4, @4, $6, $7); }
    | expression
        { $$ = build_tree(parser, NODE_DO, @$, $1, NULL, NULL); }
    | error
        { RESUME; $$ = build_poison(parser, @$); }
    ;
demand
    : "require" expression "," STRING
        {
            $$ = build_tree(parser, NODE_REQUIRE, @$, $2,
                            build_named(parser, NODE_STRING, @4, $4, @4, NULL, NULL), NULL);
        }
    ;

/* The body of a stage: arms such as `start = a`. */
arm_body
    : "{" arms "}"          { yyerrok; $$ = build_group(parser, NODE_BODY, @$, $2); }
    ;
arms
    : arm                   { $$ = build_list(parser, $1); }
    | arms separator arm    { $$ = build_append(parser, $1, $3); }
    | arms error            { RESUME; $$ = $1; }
    ;
arm
    : binding
    | demand
    | setting
    | error                 { RESUME; $$ = build_poison(parser, @$); }
    ;

/* The body of a recipe. */
setting_body
    : "{" settings "}"      { yyerrok; $$ = build_group(parser, NODE_BODY, @$, $2); }
    ;
settings
    : setting_or_error                      { $$ = build_list(parser, $<node>1); }
    | settings separator setting_or_error   { $$ = build_append(parser, $1, $<node>3); }
    | settings error                        { RESUME; $$ = $1; }
    ;
setting_or_error
    : setting               { $<node>$ = $1; }
    | error                 { RESUME; $<node>$ = build_poison(parser, @$); }
    ;
setting
    : NAME "=" expression
        { $$ = build_named(parser, NODE_SETTING, @$, $1, @1, NULL, $3); }
    ;

/* Expressions, loosest first. */
expression
    : disjunction
    | "if" expression "then" expression "else" expression
        { $$ = build_tree(parser, NODE_IF, @$, $2, $4, $6); }
    ;
disjunction
    : conjunction
    | disjunction "or" conjunction
        { $$ = build_operator(parser, @$, OPERATOR_OR, $1, $3); }
    ;
conjunction
    : negation
    | conjunction "and" negation
        { $$ = build_operator(parser, @$, OPERATOR_AND, $1, $3); }
    ;
negation
    : comparison
    | "not" negation
        { $$ = build_tree(parser, NODE_NOT, @$, $2, NULL, NULL); }
    ;
comparison
    : range
    | range "==" range  { $$ = build_operator(parser, @$, OPERATOR_EQUAL, $1, $3); }
    | range "!=" range  { $$ = build_operator(parser, @$, OPERATOR_NOT_EQUAL, $1, $3); }
    | range "<" range   { $$ = build_operator(parser, @$, OPERATOR_LESS, $1, $3); }
    | range "<=" range  { $$ = build_operator(parser, @$, OPERATOR_LESS_EQUAL, $1, $3); }
    | range ">" range   { $$ = build_operator(parser, @$, OPERATOR_GREATER, $1, $3); }
    | range ">=" range  { $$ = build_operator(parser, @$, OPERATOR_GREATER_EQUAL, $1, $3); }
    ;
range
    : sum
    | sum ".." sum      { $$ = build_operator(parser, @$, OPERATOR_RANGE, $1, $3); }
    ;
sum
    : product
    | sum "+" product   { $$ = build_operator(parser, @$, OPERATOR_ADD, $1, $3); }
    | sum "-" product   { $$ = build_operator(parser, @$, OPERATOR_SUBTRACT, $1, $3); }
    ;
product
    : chain
    | product "*" chain { $$ = build_operator(parser, @$, OPERATOR_MULTIPLY, $1, $3); }
    | product "/" chain { $$ = build_operator(parser, @$, OPERATOR_DIVIDE, $1, $3); }
    | product "%" chain { $$ = build_operator(parser, @$, OPERATOR_REMAINDER, $1, $3); }
    ;
chain
    : unary
    | chain ">>" unary  { $$ = build_chain(parser, @$, $1, $3); }
    ;
unary
    : power
    | "-" unary         { $$ = build_tree(parser, NODE_NEGATE, @$, $2, NULL, NULL); }
    ;
power
    : labelled
    | labelled "^" unary { $$ = build_operator(parser, @$, OPERATOR_POWER, $1, $3); }
    ;

/* A label takes the one term after it: `conv1: conv(3, 16)`, `layer{i}: basic(16)`. */
labelled
    : postfix
    | NAME ":" labelled
        { $$ = build_named(parser, NODE_LABEL, @$, $1, @1, NULL, $3); }
    | LABEL expression "} of a map" ":" labelled
        { $$ = build_label(parser, @$, $1, @1, $5, $2); }
    ;

/* Calls and indexing. */
postfix
    : primary
    | postfix "(" arguments ")"
        { $$ = build_call(parser, @$, $1, $3); }
    | postfix "[" expression "]"
        { $$ = build_tree(parser, NODE_INDEX, @$, $1, $3, NULL); }
    ;
primary
    : NAME              { $$ = build_named(parser, NODE_NAME, @$, $1, @1, NULL, NULL); }
    | INTEGER
    | NUMBER
    | "true"            { $$ = build_boolean(parser, @$, true); }
    | "false"           { $$ = build_boolean(parser, @$, false); }
    | "input" "." NAME  { $$ = build_named(parser, NODE_INPUT_FIELD, @$, $3, @3, NULL, NULL); }
    | "(" expression ")"
        { $$ = build_tree(parser, NODE_PARENTHESES, @$, $2, NULL, NULL); }
    | "[" "]"
        { $$ = build_group(parser, NODE_LIST, @$, NULL); }
    | "[" elements comma "]"
        { $$ = build_group(parser, NODE_LIST, @$, $2); }
    | "{ of a map" entries comma "} of a map"
        { $$ = build_group(parser, NODE_MAP, @$, $2); }
    ;
elements
    : expression                { $$ = build_list(parser, $1); }
    | elements "," expression   { $$ = build_append(parser, $1, $3); }
    ;
entries
    : entry                     { $$ = build_list(parser, $1); }
    | entries "," entry         { $$ = build_append(parser, $1, $3); }
    ;
entry
    : INTEGER ":" expression
        { $$ = build_tree(parser, NODE_ENTRY, @$, $1, $3, NULL); }
    ;

/* Arguments: positional and named. */
arguments
    : %empty                    { $$ = NULL; }
    | argument_list comma       { $$ = $1; }
    ;
argument_list
    : argument                      { $$ = build_list(parser, $1); }
    | argument_list "," argument    { $$ = build_append(parser, $1, $3); }
    ;
argument
    : expression
        { $$ = build_named(parser, NODE_ARGUMENT, @$, NULL, @$, NULL, $1); }
    | NAME "=" expression
        { $$ = build_named(parser, NODE_ARGUMENT, @$, $1, @1, NULL, $3); }
    ;

%%

const char *token_text(int kind)
{
    switch (kind) {
    case TOKEN_OPEN_MAP: return "{";
    case TOKEN_CLOSE_MAP: return "}";
    default: return yysymbol_name((yysymbol_kind_t)kind);
    }
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parser *parser)
{
    yysymbol_kind_t symbols[YYNTOKENS];
    int tokens[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);

    for (int i = 0; i < count; i++)
        tokens[i] = (int)symbols[i];
    report_syntax_error(parser, tokens, count > 0 ? (size_t)count : 0);
    return 0;
}

/* Called by the parser itself only when its stack is exhausted. */
static void rnet_error(const struct span *span, struct parser *parser, const char *message)
{
    (void)message;
    diagnostic_error(parser->diagnostics, DIAGNOSTIC_TOO_DEEP, *span,
                     "this is nested more than %d deep", DEEPEST_NESTING);
}
