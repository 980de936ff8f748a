autocmd BufNewFile,BufRead *.rnet setfiletype rnet
