" Settings for files of residual networks (.rnet), as `rnet fmt` writes them.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=//\ %s
setlocal comments=://
setlocal expandtab shiftwidth=4 softtabstop=4 textwidth=100
setlocal formatoptions-=t formatoptions+=croql
setlocal suffixesadd=.rnet
setlocal include=^\\s*use

" `:make` reports mistakes as `file:line:column: ...` lines do.
setlocal makeprg=rnet\ check\ %
setlocal errorformat=%Eerror[%*[^]]]:\ %m,%C\ %#-->\ %f:%l:%c,%-G%.%#

let b:undo_ftplugin = "setlocal commentstring< comments< expandtab< shiftwidth< softtabstop<"
      \ . " textwidth< formatoptions< suffixesadd< include< makeprg< errorformat<"
