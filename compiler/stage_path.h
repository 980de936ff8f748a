/* What a layer's path says of its place: "layer1.2.conv1" is in block 2 of the stage "layer1". */
#ifndef COMPILER_STAGE_PATH_H
#define COMPILER_STAGE_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct stage_path {
    size_t stage; /* characters of the stage's name: "layer1"; 0 for a stage without a label */
    size_t block; /* characters of the block's name: "layer1.2" */
};

/* A stage is a scope whose members are numbered: what `stage`, `repeat` and computed labels open.
 * Where such scopes follow each other ("stages.0.2.conv") the last is the stage. A number at the
 * very end is an unlabelled layer's, not a block's. False if the path lies in no stage. */
bool stage_path_read(const char *path, struct stage_path *out);

/* Characters of the scope that `path` stands in: 8, "layer1.2", for "layer1.2.conv1". */
size_t scope_length(const char *path);

#endif
