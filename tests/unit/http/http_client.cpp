#include "tests/unit/http/http_client.hpp"

#include <cstdio>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "core/time/text.hpp"

namespace mirror::test {

namespace asio = boost::asio;
using namespace copernica;
using namespace http;

namespace {

OpenGate open_gate;

PageQuery some_query() {
    PageQuery query;
    query.begintime = parse_local("2014-10-09 00:00:00").value();
    query.endtime = parse_local("2014-10-10 00:00:00").value();
    return query;
}

}  // namespace

std::string reply(const std::string& status, const std::string& fields, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string good(const std::string& body) {
    return reply("200 OK", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", body);
}

std::string chunk(const std::string& text) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
}

HttpOptions options_for(const ScriptedServer& server) {
    return HttpOptions(parse_base_url(server.url() + "/v3"), Secret(token));
}

void Outcome::keep(const std::exception_ptr& exception) {
    if (!exception) {
        return;
    }
    try {
        std::rethrow_exception(exception);
    } catch (const ApiError& failed) {
        error = failed;
        // Whatever happens, the token is not in a message.
        CHECK(std::string(failed.what()).find("CANARY") == std::string::npos);
        CHECK(std::string(failed.what()).find('\n') == std::string::npos);
    } catch (const boost::system::system_error& system) {
        aborted = system.code();
    }
}

void start_page(asio::io_context& io, HttpApi& api, Outcome& outcome,
                asio::cancellation_signal* cancel, const Stream& stream) {
    auto done = [&outcome](const std::exception_ptr& exception, PageReply page) {
        outcome.keep(exception);
        if (!exception) {
            outcome.page = std::move(page);
        }
    };
    if (cancel == nullptr) {
        asio::co_spawn(io, api.page(stream, some_query(), open_gate), done);
    } else {
        asio::co_spawn(io, api.page(stream, some_query(), open_gate),
                       asio::bind_cancellation_slot(cancel->slot(), done));
    }
}

Outcome get_page(HttpOptions options, std::uint64_t* requests) {
    asio::io_context io;
    HttpApi api(std::move(options));
    Outcome outcome;
    start_page(io, api, outcome);
    while (!outcome.is_there()) {
        io.run_one();
    }
    api.close();
    io.run();
    if (requests != nullptr) {
        *requests = api.requests();
    }
    return outcome;
}

Outcome get_page(const std::string& raw, Script::End end) {
    std::vector<Script> scripts{Script{{raw}, end}};
    if (raw.starts_with("HTTP/1.1 404 ")) {
        scripts.push_back(scripts.front());  // asked at the other path, too
    }
    ScriptedServer server(std::move(scripts));
    return get_page(options_for(server));
}

Outcome get_identity(HttpOptions options) {
    asio::io_context io;
    HttpApi api(std::move(options));
    Outcome outcome;
    asio::co_spawn(io, api.identity(open_gate),
                   [&](const std::exception_ptr& exception, Identity identity) {
                       outcome.keep(exception);
                       if (!exception) {
                           outcome.identity = std::move(identity);
                       }
                       api.close();
                   });
    io.run();
    return outcome;
}

Outcome get_identity(const std::string& raw) {
    ScriptedServer server({Script{{raw}}});
    return get_identity(options_for(server));
}

bool check_error(const Outcome& outcome, ErrorKind kind, const std::string& why) {
    REQUIRE(outcome.error.has_value());
    CHECK(outcome.error->kind() == kind);
    const std::string what = outcome.error->what();
    const bool said = what.find(why) != std::string::npos;
    CHECK_MESSAGE(said, what);
    return said && outcome.error->kind() == kind && what.find("CANARY") == std::string::npos;
}

}  // namespace mirror::test
