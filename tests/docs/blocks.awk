# Writes every fenced block marked ```rnet of the Markdown files given, to a file of its own in the
# current folder, and prints for each: NAME KIND CODE PLACE, where KIND is network, fragment or
# error, CODE that of the error or -, and PLACE its first line, as FILE:LINE.
FNR == 1 { file = "" }
/^```rnet( |$)/ {
    kind = NF > 1 ? $2 : "network"
    file = sprintf("example_%03d.rnet", ++count)
    printf "" > file
    print file, kind, kind == "error" ? $3 : "-", FILENAME ":" FNR + 1
    next
}
/^```/ && file != "" {
    close(file)
    file = ""
}
file != "" { print > file }
