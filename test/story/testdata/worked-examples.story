# The examples that the guide works out, to the digit; the same days of other years.

clock     2028-01-01 10:30
customer  cedar-labs
nocoupons
order     web 1 s3.small.1.linux 1m
pay       web
resource  web effective 2028-01-01T10:30:00 expires 2028-02-01T23:59:59   # a month: to the last second of its day
clock     2028-01-15 18:40
unsubscribe web as back                 # 344 of 758 hours of 9.74, and a tenth: 4.4203 and 0.974
expect    back amount 4.35 consumed 4.42 fee 0.97
check

clock     2028-03-31 10:00              # bought on the 31st: the end of April, then the 31st of May again
order     edge 1 s3.small.1.linux 1m
order     late 1 s3.small.1.linux 1m
order     soon 1 s3.small.1.linux 1m
order     full 1 s3.small.1.linux 1m
pay       edge
pay       late
pay       soon
pay       full
resource  edge expires 2028-04-30T23:59:59
renew     edge 1m as next pay
resource  edge expires 2028-05-31T23:59:59

clock     2028-05-15 23:59              # fifteen days of grace: usable
resource  late status 5
clock     2028-05-18 12:00              # then it is frozen; renewed, 13 days are left
resource  late status 4
renew     late 1m as again pay
resource  late status 2 expires 2028-05-31T23:59:59
clock     2028-05-30 23:59              # fifteen days of retention
resource  soon status 4
resource  full status 4
clock     2028-05-31 00:00
resource  soon status 3
check

clock     2028-06-10 09:00              # switched on before 03:00 of the last day: the last try is still to come
order     dawn 1 s3.small.1.linux 1m
pay       dawn
resource  dawn expires 2028-07-10T23:59:59
clock     2028-07-10 02:00
autorenew dawn on
clock     2028-07-10 02:59
resource  dawn expires 2028-07-10T23:59:59
clock     2028-07-10 03:00
resource  dawn expires 2028-08-10T23:59:59
autorenew dawn off
clock     2028-08-10 03:30              # after it: at once
autorenew dawn on 1
clock     2028-08-10 03:31
resource  dawn status 2 expires 2028-09-10T23:59:59 policy 0   # one time, used up
check

clock     2028-09-10 23:00              # a year: a tenth; the hours of a leap year do not matter to the fee
order     long 1 s3.small.1.linux 1y
pay       long
clock     2029-03-01 00:30
unsubscribe long as ended
expect    ended status 5
check
