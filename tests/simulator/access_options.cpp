#include "tests/simulator/access_options.hpp"

#include <utility>

#include "tests/simulator/choice_option.hpp"
#include "tests/simulator/fault.hpp"

namespace simulator {
namespace {

void add_jwt_options(CLI::App& app, AccessSettings& settings) {
    app.add_option("--jwt-life", settings.jwt_life, "Seconds that a JWT is good for (86400)");
    app.add_option("--jwt-ahead", settings.jwt_ahead,
                   "Seconds that the clock of the authentication service is ahead (0)");
    add_choice<Jwt::Expiry>(app, "--jwt-exp", settings.jwt_expiry,
                            {{"right", Jwt::Expiry::right},
                             {"absent", Jwt::Expiry::absent},
                             {"past", Jwt::Expiry::past}},
                            "The claim exp of a JWT: right (default), absent, past");
    app.add_option("--jwt-bytes", settings.jwt_bytes, "The least length of a JWT (0)");
    add_choice<TokenForm>(app, "--token-form", settings.form,
                          {{"bare", TokenForm::bare},
                           {"json-string", TokenForm::json_string},
                           {"token", TokenForm::token},
                           {"access_token", TokenForm::access_token},
                           {"jwt", TokenForm::jwt}},
                          "How the service gives a JWT: bare (default), json-string, or the member"
                          " of an object: token, access_token, jwt");
}

Rule rule_of(AccessSettings::Service service) {
    using Kind = AccessSettings::Service;
    switch (service) {
        case Kind::none:
        case Kind::right:
            return {};
        case Kind::gateway:
            return rules::call(Call::token, faults::gateway(503));
        case Kind::html:
            return rules::call(Call::token, faults::html_as_ok());
        case Kind::object:
            return rules::call(Call::token,
                               faults::status(200, R"({"hello":"world"})", "application/json"));
        case Kind::empty:
            return rules::call(Call::token, faults::status(200, ""));
        case Kind::slow:
            return rules::call(Call::token, faults::delay(std::chrono::seconds(10)));
        case Kind::hang:
            return rules::call(Call::token, faults::delivery(Delivery::hang));
        case Kind::close:
            return rules::call(Call::token, faults::delivery(Delivery::close_before));
    }
    return {};
}

}  // namespace

void AccessSettings::apply(Behaviour& behaviour) const {
    behaviour.version3 = versions != Versions::only_4;
    behaviour.version4.served = versions != Versions::only_3;
    behaviour.version4.takes_api_token = tokens != Tokens::jwt;
    behaviour.version4.takes_jwt = tokens != Tokens::api;
    behaviour.version4.draganddrop_paths = paths != Paths::ms;
    behaviour.version4.ms_paths = paths != Paths::draganddrop;
    behaviour.authentication.form = form;
    Jwt& jwt = behaviour.authentication.jwt;
    jwt.life = mirror::Seconds(jwt_life);
    jwt.ahead = mirror::Seconds(jwt_ahead);
    jwt.expiry = jwt_expiry;
    jwt.bytes = jwt_bytes;
}

void add_access_options(CLI::App& app, AccessSettings& settings) {
    using Versions = AccessSettings::Versions;
    using Tokens = AccessSettings::Tokens;
    using Paths = AccessSettings::Paths;
    using Kind = AccessSettings::Service;
    app.option_defaults()->group("Versions, tokens and a proxy");
    add_choice<Versions>(
        app, "--versions", settings.versions,
        {{"both", Versions::both}, {"3", Versions::only_3}, {"4", Versions::only_4}},
        "Which versions of the API the token is good for: both (default), 3, 4");
    add_choice<Tokens>(app, "--tokens", settings.tokens,
                       {{"both", Tokens::both}, {"api", Tokens::api}, {"jwt", Tokens::jwt}},
                       "What version 4 takes: both (default), api (the token itself), jwt");
    add_choice<Paths>(
        app, "--paths", settings.paths,
        {{"both", Paths::both}, {"draganddrop", Paths::draganddrop}, {"ms", Paths::ms}},
        "Which paths version 4 has: both (default), draganddrop, ms");
    add_choice<Kind>(app, "--authentication", settings.service,
                     {{"none", Kind::none},
                      {"right", Kind::right},
                      {"gateway", Kind::gateway},
                      {"html", Kind::html},
                      {"object", Kind::object},
                      {"empty", Kind::empty},
                      {"slow", Kind::slow},
                      {"hang", Kind::hang},
                      {"close", Kind::close}},
                     "Start the authentication service: none (default), right; or one that fails:"
                     " gateway (503), html, object (without a token), empty, slow (10 s), hang,"
                     " close");
    add_jwt_options(app, settings);
    app.add_option("--unauthorized-rate", settings.unauthorized_rate,
                   "Share of requests whose token is refused with 401 (0)");
    app.add_flag("--proxy", settings.proxy, "Start a proxy of CONNECT");
    app.add_option("--proxy-credentials", settings.proxy_credentials,
                   "USER:PASSWORD that the proxy wants (none)");
    app.add_option("--companions-file", settings.companions_file,
                   "Write the URLs of the authentication service and of the proxy to this file,"
                   " one a line: NAME URL");
}

Companions::Companions(Account& account, Server& api, ServerOptions options,
                       const AccessSettings& settings)
    : credentials_(settings.proxy_credentials) {
    if (settings.service != AccessSettings::Service::none) {
        Behaviour behaviour = api.behaviour();
        behaviour.service = Service::authentication;
        options.port = 0;
        service_.emplace(account, behaviour, std::move(options));
        service_->clock().follow([&api] { return api.clock().now(); });
        service_->set_rule(rule_of(settings.service));
    }
    if (settings.proxy) {
        ProxyBehaviour behaviour;
        if (!credentials_.empty()) {
            behaviour.credentials = credentials_;
        }
        proxy_.emplace(behaviour);
    }
}

void Companions::introduce(std::ostream& out) const {
    if (service_) {
        out << "authentication " << service_->url("127.0.0.1", "/") << "\n";
    }
    if (proxy_) {
        out << "proxy " << proxy_->url(credentials_) << "\n";
    }
}

}  // namespace simulator
