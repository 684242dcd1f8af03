# Stored records: protobuf, generated into the build tree and compiled without our warnings.
if(EXISTS ${CMAKE_SOURCE_DIR}/store/records.proto)
  set(records_dir ${CMAKE_BINARY_DIR}/generated/store)
  file(MAKE_DIRECTORY ${records_dir})
  add_custom_command(
    OUTPUT ${records_dir}/records.pb.cc ${records_dir}/records.pb.h
    COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR}/store --cpp_out=${records_dir} records.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/store/records.proto)
  add_library(syndicated_records STATIC ${records_dir}/records.pb.cc)
  target_include_directories(syndicated_records SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(syndicated_records PUBLIC protobuf::libprotobuf)
  target_link_libraries(syndicated_store PRIVATE syndicated_records)
endif()
