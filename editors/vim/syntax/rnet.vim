" Highlighting of residual networks (.rnet). tests/lsp/check_syntax.c compares the words here with
" those of the compiler.
if exists("b:current_syntax")
  finish
endif

syn keyword rnetDeclaration block stage network recipe train use let
syn keyword rnetStatement require input output
syn keyword rnetRepeat for in
syn keyword rnetConditional if then else
syn keyword rnetOperatorWord and or not
syn keyword rnetBoolean true false

syn keyword rnetLayer conv bn group_norm layer_norm linear scale
syn keyword rnetLayer relu sigmoid silu gelu
syn keyword rnetLayer max_pool avg_pool global_avg_pool
syn keyword rnetLayer dropout drop_path resize rows
syn keyword rnetFunction identity repeat sum len

syn keyword rnetRecipeWord cifar10 cifar100 imagenet kinetics something_something coco npy shapes
syn keyword rnetRecipeWord pad random_crop horizontal_flip random_resized_crop random_short_side
syn keyword rnetRecipeWord center_crop three_crops ssd_crop color_jitter
syn keyword rnetRecipeWord step cosine warmup
syn keyword rnetRecipeWord he_normal xavier_uniform xavier_normal fan_in fan_out
syn keyword rnetRecipeWord sgd all weights cross_entropy multibox

syn match rnetNumber "\<\d\+\%(\.\d\+\)\?\%([eE][-+]\?\d\+\)\?\>"
syn match rnetOperator ">>\|\.\.\|[=!<>]=\|[-+*/%^=<>]"
syn match rnetLabel "\<\h\w*\%(\.\?{[^{}]*}\)\?\ze\s*:" contains=rnetLabelIndex
syn region rnetLabelIndex start="{" end="}" contained oneline contains=TOP
syn match rnetName "\%(\<\%(block\|stage\|network\|recipe\)\s\+\)\@<=\h\w*"
syn region rnetString start=+"+ end=+"+ oneline
syn match rnetComment "//.*$" contains=@Spell

hi def link rnetDeclaration Keyword
hi def link rnetStatement Statement
hi def link rnetRepeat Repeat
hi def link rnetConditional Conditional
hi def link rnetOperatorWord Operator
hi def link rnetBoolean Boolean
hi def link rnetLayer Type
hi def link rnetFunction Function
hi def link rnetRecipeWord Constant
hi def link rnetNumber Number
hi def link rnetOperator Operator
hi def link rnetLabel Label
hi def link rnetName Identifier
hi def link rnetString String
hi def link rnetComment Comment

let b:current_syntax = "rnet"
