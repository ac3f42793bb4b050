-- Requests for wrk. Arguments: what (payments or ussd), path, customers, day (three characters).

local what, path, customers, day
local serial = 0
local sessions = {}
local turn = 0
local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local JSON = { ["Content-Type"] = "application/json" }
local SESSIONS = 1024
local DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

function init(args)
  what, path, customers, day = args[1], args[2], tonumber(args[3]), args[4]
  math.randomseed(os.time())
end

local function card(n)
  local digits = string.format("4020%06d", n)
  local sum = 0
  for i = 1, 10 do
    local d = tonumber(digits:sub(i, i))
    if i % 2 == 0 then
      d = d * 2
      if d > 9 then d = d - 9 end
    end
    sum = sum + d
  end
  return digits .. (10 - sum % 10) % 10
end

-- Three characters of the day and seven of a serial in base 36, as M-PESA writes a receipt.
local function receipt()
  local rest, text = serial, ""
  serial = serial + 1
  for _ = 1, 7 do
    local digit = rest % 36
    text = DIGITS:sub(digit + 1, digit + 1) .. text
    rest = (rest - digit) / 36
  end
  return day .. text
end

local PAID = '{"TransactionType":"Pay Bill","TransID":"%s","TransTime":"20261123120000",' ..
  '"TransAmount":"%s","BusinessShortCode":"600100","BillRefNumber":"%s","InvoiceNumber":"",' ..
  '"OrgAccountBalance":"49197.00","ThirdPartyTransID":"",' ..
  '"MSISDN":"6d5c1f9a0b3e4d7c8a9b0c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f7",' ..
  '"FirstName":"AMINA"}'

local function payment()
  local n = math.random(0, customers - 1)
  local amount = n % 2 == 0 and "650.00" or "1650.00"
  return wrk.format("POST", path, JSON, PAID:format(receipt(), amount, card(n)))
end

-- What people type after dialling: their own card's week and then no; another card's; the balance.
-- A run leaves sessions open, and who dials again is offered to go on there: no answer below means
-- yes on a screen that asks for money, wherever it is met.
local function script()
  local kind = math.random(1, 3)
  if kind == 1 then return { "", "1", "1*2", "1*2*0" } end
  if kind == 2 then
    local typed = "1*5*" .. card(math.random(0, customers - 1))
    return { "", "1", "1*5", typed, typed .. "*2", typed .. "*2*0" }
  end
  return { "", "3" }
end

-- Sessions take turns: between two hops of one lie those of all others, and so its answer.
local function hop()
  turn = turn % SESSIONS + 1
  local session = sessions[turn]
  if session == nil or session.at == #session.texts then
    serial = serial + 1
    session = {
      id = "ATUid_" .. day .. serial,
      phone = string.format("%%2B25470%07d", math.random(0, customers - 1)),
      texts = script(),
      at = 0,
    }
    sessions[turn] = session
  end
  session.at = session.at + 1
  local body = "sessionId=" .. session.id .. "&phoneNumber=" .. session.phone ..
    "&networkCode=63902&serviceCode=%2A384%2A100%23&text=" ..
    session.texts[session.at]:gsub("*", "%%2A")
  return wrk.format("POST", path, FORM, body)
end

function request()
  if what == "payments" then return payment() end
  return hop()
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout))
end
