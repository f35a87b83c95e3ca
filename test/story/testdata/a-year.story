# A year of a server with its disk: bought for a month, made to renew by itself, its disk grown and shrunk, and ended.

clock     2027-01-15 14:20
customer  cedar-labs
nocoupons
order     web 1 s3.small.1.linux 1m disk=100
pay       web
expect    web amount 15.24 expires 2027-02-15T23:59:59         # 9.74 and 5.5
autorenew web on
clock     2027-07-01 12:00              # five renewals: February to June, each on the 9th at 03:00
resource  web status 2 policy 3 expires 2027-07-15T23:59:59
expect    cash 9908.56                  # six times 15.24
resize    web 200 as grown pay          # 348 of 720 hours remain
expect    grown status 5 type 3 amount 2.66
expect    cash 9905.9
clock     2027-07-08 12:00
resize    web 50 as shrunk              # 180 of 348 hours remain of what the disk has cost since
expect    shrunk status 5 type 3
check
clock     2028-01-10 00:00
resource  web status 2 expires 2028-02-15T23:59:59
autorenew web off
clock     2028-02-16 00:00
resource  web status 5
unsubscribe web as gone                 # nothing is left to give back
expect    gone status 5 amount 0
check
