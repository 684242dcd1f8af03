# The API document is compiled in: api/openapi.json becomes one string literal.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/api/openapi.json)
file(READ ${CMAKE_SOURCE_DIR}/api/openapi.json OPENAPI_TEXT)
configure_file(${CMAKE_SOURCE_DIR}/api/openapi.cpp.in ${CMAKE_BINARY_DIR}/generated/api/openapi.cpp @ONLY)
target_sources(syndicated_api PRIVATE ${CMAKE_BINARY_DIR}/generated/api/openapi.cpp)
