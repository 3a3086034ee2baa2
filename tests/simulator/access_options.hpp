// The simulator's options about versions, tokens, the authentication service and a proxy.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/proxy.hpp"
#include "tests/simulator/server.hpp"

namespace simulator {

struct AccessSettings {
    enum class Versions { both, only_3, only_4 };
    enum class Tokens { both, api, jwt };
    enum class Paths { both, draganddrop, ms };
    enum class Service { none, right, gateway, html, object, empty, slow, hang, close };

    Versions versions = Versions::both;
    Tokens tokens = Tokens::both;
    Paths paths = Paths::both;
    std::int64_t jwt_life = 24 * 3600;
    std::int64_t jwt_ahead = 0;
    Jwt::Expiry jwt_expiry = Jwt::Expiry::right;
    std::size_t jwt_bytes = 0;
    TokenForm form = TokenForm::bare;
    Service service = Service::none;
    double unauthorized_rate = 0;
    bool proxy = false;
    std::string proxy_credentials;
    std::string companions_file;

    void apply(Behaviour& behaviour) const;
};

void add_access_options(CLI::App& app, AccessSettings& settings);

/// The servers besides the API, as far as they are wanted.
class Companions {
  public:
    /// The authentication service has the options and the clock of the API. Throws
    /// boost::system::system_error.
    Companions(Account& account, Server& api, ServerOptions options,
               const AccessSettings& settings);

    /// A line for each, with its URL.
    void introduce(std::ostream& out) const;

  private:
    std::optional<Server> service_;
    std::optional<Proxy> proxy_;
    std::string credentials_;
};

}  // namespace simulator
