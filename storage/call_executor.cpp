#include "storage/call_executor.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace mirror::storage {

void ThreadExecutor::submit(std::shared_ptr<Call> call) {
    boost::asio::post(thread_, [call = std::move(call)] {
        call->carry_out();
        call->answer();
    });
}

}  // namespace mirror::storage
