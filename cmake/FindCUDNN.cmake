# cuDNN's header and library: CUDNN::cudnn, CUDNN_VERSION, CUDNN_INCLUDE_DIR, CUDNN_LIBRARY.
# Looked for in CUDNN_ROOT (a CMake or environment variable: the folder that holds include/ and lib/), beside the CUDA toolkit, in the
# system, and in the Python environment of `python3` (the package nvidia-cudnn-cuNN, whose library has no name without a version).

set(CUDNN_PLACES ${CUDNN_ROOT} $ENV{CUDNN_ROOT})
if(CUDNN_PLACES)
  set(CUDNN_ONLY NO_DEFAULT_PATH) # what was asked for, or nothing
else()
  set(CUDNN_ONLY)
  list(APPEND CUDNN_PLACES ${CUDAToolkit_TARGET_DIR} ${CUDAToolkit_LIBRARY_ROOT} ${CUDAToolkit_BIN_DIR}/..)
  find_program(CUDNN_PYTHON NAMES python3 python DOC "Python that may have the package nvidia-cudnn")
  mark_as_advanced(CUDNN_PYTHON)
  if(CUDNN_PYTHON)
    execute_process(COMMAND ${CUDNN_PYTHON} -c "import nvidia.cudnn; print(list(nvidia.cudnn.__path__)[0])"
      OUTPUT_VARIABLE CUDNN_PACKAGE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    list(APPEND CUDNN_PLACES ${CUDNN_PACKAGE})
  endif()
endif()
find_path(CUDNN_INCLUDE_DIR cudnn_version.h HINTS ${CUDNN_PLACES} PATH_SUFFIXES include ${CUDNN_ONLY})
# The library beside the header that was found, so that the two are of one version.
get_filename_component(CUDNN_PREFIX "${CUDNN_INCLUDE_DIR}" DIRECTORY)
find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 NAMES_PER_DIR HINTS ${CUDNN_PREFIX} ${CUDNN_PLACES}
  PATH_SUFFIXES lib lib64 ${CUDNN_ONLY})

if(CUDNN_INCLUDE_DIR)
  file(STRINGS ${CUDNN_INCLUDE_DIR}/cudnn_version.h lines REGEX "^#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) +[0-9]+")
  string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
  list(JOIN numbers "." CUDNN_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUDNN REQUIRED_VARS CUDNN_LIBRARY CUDNN_INCLUDE_DIR VERSION_VAR CUDNN_VERSION
  REASON_FAILURE_MESSAGE "set CUDNN_ROOT to the folder that holds cuDNN 9's include/ and lib/, or let python3 find its package (nvidia-cudnn-cu13)")
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)

if(CUDNN_FOUND AND NOT TARGET CUDNN::cudnn)
  add_library(CUDNN::cudnn SHARED IMPORTED)
  set_target_properties(CUDNN::cudnn PROPERTIES IMPORTED_LOCATION ${CUDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${CUDNN_INCLUDE_DIR})
endif()
