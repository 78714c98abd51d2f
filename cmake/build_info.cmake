# Writes the state of the git checkout to OUTPUT, at every build; the file is touched only when something changed.
# usage: cmake -DSOURCE=dir -DOUTPUT=file -P build_info.cmake
set(commit "unknown")
set(dirty "unknown")
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD
  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(NOT failed)
  set(commit ${found})
  execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no
    OUTPUT_VARIABLE changes ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed AND changes STREQUAL "")
    set(dirty "no")
  elseif(NOT failed)
    set(dirty "yes")
  endif()
endif()
file(WRITE ${OUTPUT}.new "#define WAL_GIT_COMMIT \"${commit}\"\n#define WAL_GIT_DIRTY \"${dirty}\"\n")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
