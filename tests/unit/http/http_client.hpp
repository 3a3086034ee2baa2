// One call of HttpApi, and what became of it; and the replies that servers give in its tests.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "core/copernica/http_api.hpp"
#include "tests/unit/http/scripted_server.hpp"

namespace mirror::test {

/// The token of all calls. Whatever happens, "CANARY" is in no error's message: that is checked.
inline const std::string token = "CANARY+/ &token";

inline const std::string page_body =
    R"({"start":0,"limit":1000,"count":1,"data":[{"ID":"1","timestamp":"2014-10-09 13:41:46"}]})";
inline const std::string identity_body = R"({"id":"34","name":"Development","company":"C"})";

/// A reply with its Content-Length. `status` is "200 OK"; `fields` are whole lines.
std::string reply(const std::string& status, const std::string& fields, const std::string& body);
std::string good(const std::string& body = page_body);
std::string chunk(const std::string& text);

copernica::HttpOptions options_for(const ScriptedServer& server);

struct Outcome {
    std::optional<copernica::PageReply> page;
    std::optional<copernica::Identity> identity;
    std::optional<copernica::ApiError> error;
    boost::system::error_code aborted;

    void keep(const std::exception_ptr& exception);
    bool is_there() const { return page || identity || error || aborted; }
};

/// Starts a call that keeps its result in `outcome`.
void start_page(boost::asio::io_context& io, copernica::HttpApi& api, Outcome& outcome,
                boost::asio::cancellation_signal* cancel = nullptr,
                const Stream& stream = streams().front());

/// Makes a call, to its end. `requests` is how many it took.
Outcome get_page(copernica::HttpOptions options, std::uint64_t* requests = nullptr);
Outcome get_identity(copernica::HttpOptions options);

/// The same, from a server that answers with these bytes.
Outcome get_page(const std::string& raw, Script::End end = Script::End::close);
Outcome get_identity(const std::string& raw);

/// Checks that the call failed, how, and that `why` is in the message. Whether all was so.
bool check_error(const Outcome& outcome, copernica::ErrorKind kind, const std::string& why);

}  // namespace mirror::test
