#define BOOST_TEST_MODULE syndicated
#include <boost/test/unit_test.hpp>
