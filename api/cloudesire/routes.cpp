#include "api/routes.hpp"
namespace syndicated::api {
route_list cloudesire_routes() { return {}; }
route_list cloudesire_reference_routes() { return {}; }
}  // namespace syndicated::api
